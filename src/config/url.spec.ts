import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { httpUrl, urlFault, urlText, type UrlRules } from './url.ts';

const TARGET: UrlRules = {
  schemes: ['http', 'https', 'grpc'],
  example: 'http://127.0.0.1:4101',
  rest: 'slash',
};
const ofTarget = (text: string) => urlFault(text, TARGET);

describe(urlFault, () => {
  it.each([
    'http://127.0.0.1:4101', 'http://127.0.0.1', 'http://127.0.0.1/', 'https://a', 'grpc://orders.shop.svc.cluster.local:443', 'http://a.b.',
    'http://my_service:1', 'http://[::1]:80', 'http://[2001:db8::1]', 'http://127.0.0.1:1', 'http://127.0.0.1:65535', 'http://1a.example.com',
    `http://${'a'.repeat(63)}.example.com`, `http://${`${'a'.repeat(62)}.`.repeat(4)}a:80`,
  ])('takes %s', (text) => {
    expect(ofTarget(text)).toBeUndefined();
    expect(URL.canParse(text.replace('grpc', 'http'))).toBe(true);
  }); // prettier-ignore

  it.each([
    ['a port', 'http://127.0.0.1:70000'], ['a port', 'http://127.0.0.1:65536'], ['a port', 'http://127.0.0.1:0'], ['a port', 'http://127.0.0.1:'],
    ['a port', 'http://a:80:80'], ['a port', 'http://a:-1'], ['a port', 'http://a:0x50'], ['a port', 'http://a:http'], ['a port', 'http://[::1]:'],
    ['a host', 'http://[::1'], ['a host', 'http://::1'], ['a host', 'http://[::1]x'], ['a host', 'http://[::g]'], ['a host', 'http://[127.0.0.1]'],
    ['a host', 'http://[fe80::1%25eth0]'], ['a host', 'http://:80'], ['a host', 'http://'], ['a host', 'http:///'], ['a host', 'http://999.1.1.1:80'],
    ['a host', 'http://127.1'], ['a host', 'http://2130706433'], ['a host', 'http://0x7f.0.0.1'], ['a host', 'http://a.0x1'], ['a host', 'http://127.0.0.01'],
    ['a host', 'http://a..b'], ['a host', 'http://.a'], ['a host', 'http://-a'], ['a host', 'http://a-'], ['a host', 'http://a%20b'], ['a host', 'http://a,b'],
    ['a host', `http://${'a'.repeat(64)}`], ['a host', `http://${`${'a'.repeat(62)}.`.repeat(4)}ab`],
    ['no credentials', 'http://user:secret@a'], ['no credentials', 'http://@a'], ['no credentials', 'http://user@a:80'],
    ['no fragment', 'http://a#x'], ['no fragment', 'http://a/#'],
    ['an origin', 'http://a/x'], ['an origin', 'http://a//'], ['an origin', 'http://a?x'], ['an origin', 'http://a/?'],
    ['http:// or', 'ftp://a'], ['http:// or', 'HTTP://a'], ['http:// or', 'a:80'], ['http:// or', '//a'], ['http:// or', 'http:/a'], ['http:// or', 'http:a'], ['http:// or', ''],
    ['a URL of ASCII', ' http://a'], ['a URL of ASCII', 'http://a '], ['a URL of ASCII', 'http://a\n'], ['a URL of ASCII', 'http://a b'], ['a URL of ASCII', 'http://a\tb'],
    ['a URL of ASCII', 'http:\\\\a'], ['a URL of ASCII', 'http://bücher.example'], ['a URL of ASCII', 'http://a\0'],
  ])('expects %s instead of %j', (what, text) => {
    expect(ofTarget(text)).toMatch(new RegExp(`^expected ${what}\\b|^expected ${what}`));
    expect(ofTarget(text)).not.toContain('secret');
  }); // prettier-ignore

  it('takes path and query, and credentials, only where they may be', () => {
    const anything: UrlRules = { ...TARGET, rest: 'anything' };
    expect(urlFault('http://a/b/c?d=e', anything)).toBeUndefined();
    expect(urlFault('http://a?d', anything)).toBeUndefined();
    expect(urlFault('http://a/b#c', anything)).toBe('expected no fragment in the URL');
    expect(urlFault('http://a/', { ...TARGET, rest: 'nothing' })).toContain('expected an origin');
    expect(urlFault('http://u:p@a', { ...TARGET, credentials: true })).toBeUndefined();
    expect(urlFault('http://u:p@a:0', { ...TARGET, credentials: true })).toContain('a port');
  });
});

describe(urlText, () => {
  it('tells editors what it is roughly', () => {
    expect(z.toJSONSchema(httpUrl.describe('Where.'))).toMatchObject({
      type: 'string',
      pattern: '^(http|https)://[^\\s]+$',
      description: 'Where.',
    });
  });
});
