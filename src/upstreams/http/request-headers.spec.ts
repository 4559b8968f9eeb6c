import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../../test/support/exchange.ts';
import { compileHeaderEdits } from '../../policies/transform/header-edits.ts';
import { connectionNames, outboundHeaders } from './request-headers.ts';

const USUAL = { name: 'users', passedHeaders: undefined, identity: undefined };

type Edits = Parameters<typeof compileHeaderEdits>[0];

function sentFor(request: TestRequest, edits: Edits = {}): Map<string, string[]> {
  const headers = outboundHeaders(createExchange(request), compileHeaderEdits(edits)?.fixed, USUAL);
  const fields = new Map<string, string[]>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    fields.set(name.toLowerCase(), [...(fields.get(name.toLowerCase()) ?? []), headers[i + 1] as string]);
  }
  return fields;
}

const sent = (...headers: string[]) => sentFor({ headers });

describe('outboundHeaders', () => {
  it('passes on what concerns client and service, several lines included', () => {
    const fields = sent(
      'Accept',
      'a/b',
      'Cookie',
      'x=1',
      'X-Custom',
      '1',
      'x-custom',
      '2',
      'Content-Length',
      '3',
    );
    expect(fields.get('accept')).toEqual(['a/b']);
    expect(fields.get('cookie')).toEqual(['x=1']);
    expect(fields.get('x-custom')).toEqual(['1', '2']);
    expect(fields.get('content-length')).toEqual(['3']);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'Proxy-Authenticate',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Host',
    'Expect',
  ])('keeps %s to this connection', (name) => {
    expect(sent(name, 'x').has(name.toLowerCase())).toBe(false);
  });

  it('keeps what Connection lists to this connection', () => {
    const fields = sent('X-Hop', '1', 'connection', 'close, X-HOP', 'x-stays', '1');
    expect([fields.has('x-hop'), fields.has('x-stays')]).toEqual([false, true]);
  });

  it('lets no client remove what the gateway says, by listing it in Connection', () => {
    const fields = sentFor({
      headers: ['Connection', 'x-user-id, x-forwarded-for, traceparent, x-request-id'],
      principal: createPrincipal('ann'),
    });
    expect(fields.get('x-user-id')).toEqual(['ann']);
    expect(fields.get('x-forwarded-for')).toEqual(['203.0.113.7']);
    expect(fields.get('x-request-id')).toEqual(['exchange-1']);
    expect(fields.has('traceparent')).toBe(true);
  });

  it.each(['X-User-Id', 'x_user_id', 'X.User.Roles', 'X-Client-Id', 'X-Tenant-Id', 'Forwarded', 'X-Real-IP'])(
    'removes %s that a client made up',
    (name) => {
      expect(sent(name, 'admin').has(name.toLowerCase())).toBe(false);
    },
  );

  it('says itself where the request came from', () => {
    const fields = sent(
      'X-Forwarded-For',
      '1.1.1.1',
      'X-Forwarded-Proto',
      'https',
      'Host',
      'api.example.com',
    );
    expect(fields.get('x-forwarded-for')).toEqual(['203.0.113.7']);
    expect(fields.get('x-forwarded-proto')).toEqual(['http']);
    expect(fields.get('x-forwarded-host')).toEqual(['api.example.com']);
  });

  it('keeps API keys, and lets bearer tokens through', () => {
    expect(sent('X-API-Key', 'gh_a_b').has('x-api-key')).toBe(false);
    expect(sent('Authorization', 'ApiKey gh_a_b').has('authorization')).toBe(false);
    expect(sent('authorization', 'apikey\tgh_a_b').has('authorization')).toBe(false);
    expect(sent('Authorization', 'Bearer abc').get('authorization')).toEqual(['Bearer abc']);
  });

  it('says who calls', () => {
    const principal = createPrincipal('ann', {
      email: 'ann@example.com',
      roles: ['admin', 'user'],
      tenant: 't1',
    });
    const fields = sentFor({ headers: ['x-user-id', 'root'], principal });
    expect(fields.get('x-user-id')).toEqual(['ann']);
    expect(fields.get('x-user-email')).toEqual(['ann@example.com']);
    expect(fields.get('x-user-roles')).toEqual(['admin,user']);
    expect(fields.get('x-tenant-id')).toEqual(['t1']);
  });

  it('tells the trace and the request id, once', () => {
    const fields = sent('traceparent', 'x', 'tracestate', 'y=1', 'x-request-id', 'other');
    expect(fields.get('traceparent')).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)]);
    expect(fields.has('tracestate')).toBe(false);
    expect(fields.get('x-request-id')).toEqual(['exchange-1']);
  });

  it('tells the time that is left, and no client can', () => {
    expect(sent('x-request-deadline-ms', '1').has('x-request-deadline-ms')).toBe(false);
    const exchange = createExchange();
    exchange.deadlineAt = performance.now() + 5000;
    const headers = outboundHeaders(exchange, undefined, USUAL);
    const left = Number(headers[headers.indexOf('x-request-deadline-ms') + 1]);
    expect(left).toBeGreaterThan(4000);
    expect(left).toBeLessThanOrEqual(5000);
  });

  it('sets and removes what the configuration says, the gateway’s own fields included', () => {
    const fields = sentFor(
      { headers: ['X-A', '1', 'x-a', '2', 'Cookie', 'x=1'], principal: createPrincipal('ann') },
      {
        setHeaders: { 'X-A': '3', 'x-request-id': 'fixed', 'X-User-Id': 'service' },
        removeHeaders: ['cookie', 'x-forwarded-for'],
      },
    );
    expect(fields.get('x-a')).toEqual(['3']);
    expect(fields.get('x-request-id')).toEqual(['fixed']);
    expect(fields.get('x-user-id')).toEqual(['service']);
    expect([fields.has('cookie'), fields.has('x-forwarded-for')]).toEqual([false, false]);
  });
});

describe('connectionNames', () => {
  it.each([
    [undefined, undefined],
    ['keep-alive', undefined],
    ['close', undefined],
    ['close, X-Hop', ['close', 'x-hop']],
  ])('reads %s', (value, names) => {
    expect(connectionNames(value)).toEqual(names && new Set(names));
  });
});
