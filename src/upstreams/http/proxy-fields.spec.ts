import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { addProxyFields, compileProxyFields, proxyFieldKeys } from './proxy-fields.ts';

function forwardedFor(clientAddress: string, ...headers: string[]): string | undefined {
  const exchange = Object.assign(createExchange({ headers }), { clientAddress });
  const out: string[] = [];
  addProxyFields(out, exchange, compileProxyFields({ forwarded: 'rfc7239' }, undefined));
  expect(out[0]).toBe('forwarded');
  return out[1];
}

describe('addProxyFields', () => {
  it.each([
    ['203.0.113.7', 'a.example', 'for=203.0.113.7;proto=http;host=a.example'],
    ['2001:db8::1', 'a.example:80', 'for="[2001:db8::1]";proto=http;host="a.example:80"'],
    ['', '[::1]:80', 'for=unknown;proto=http;host="[::1]:80"'],
    ['somebody', "a'b(c)", 'for=unknown;proto=http;host="a\'b(c)"'],
  ])('writes Forwarded for %j and %j', (address, host, value) => {
    expect(forwardedFor(address, 'Host', host)).toBe(value);
  });

  it('writes no host that nobody has said', () => {
    expect(forwardedFor('203.0.113.7')).toBe('for=203.0.113.7;proto=http');
  });

  it('is compiled to nothing where all is as usual', () => {
    expect(compileProxyFields({ forwarded: 'xForwarded' }, undefined)).toBeUndefined();
    expect(compileProxyFields({ forwarded: 'xForwarded' }, '/api')).toBeDefined();
  });
});

describe('the options', () => {
  it.each(['keep', 'target', 'a.example', 'a.example:80', '[::1]:80'])('take the host %s', (host) => {
    expect(proxyFieldKeys.host.safeParse(host).success).toBe(true);
  });

  it.each(['', 'a b', 'http://a', 'a/b', 'a\r\nb', 'u@a', 'a:x', 'a..b'])(
    'do not take the host %j',
    (host) => {
      expect(proxyFieldKeys.host.safeParse(host).success).toBe(false);
    },
  );

  it.each(['edge', 'edge:80', 'a.example'])('take the name %s', (via) => {
    expect(proxyFieldKeys.via.safeParse(via).success).toBe(true);
  });

  it.each(['', 'a b', 'a,b', 'a(b)', 'a\r\nb', 'ä', 'a'.repeat(256)])('do not take the name %j', (via) => {
    expect(proxyFieldKeys.via.safeParse(via).success).toBe(false);
  });
});
