import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../../exchange/exchange.ts';
import { securityHeadersPolicy } from './security-headers.policy.ts';
import { SecurityHeadersStageFactory } from './security-headers.stage.ts';

function edited(options: object, headers: string[] = [], scheme = 'https'): string[] {
  const policies = { securityHeaders: securityHeadersPolicy.schema.parse(options) };
  const stage = new SecurityHeadersStageFactory().compile({ routeId: 'a', door: 'proxy', policies });
  const head = { status: 200, headers };
  stage?.head?.({ scheme } as Exchange, head);
  return head.headers;
}

const NONE = { contentTypeOptions: 'off', frameOptions: 'off', referrerPolicy: 'off' };

describe('security headers', () => {
  it('are sensible where nothing is said', () =>
    expect(edited({})).toEqual([
      'x-content-type-options',
      'nosniff',
      'x-frame-options',
      'DENY',
      'referrer-policy',
      'strict-origin-when-cross-origin',
      'strict-transport-security',
      'max-age=15552000',
    ]));

  it.each<[string, object, string[], string[]]>([
    ['can all be off', { ...NONE, hsts: 'off' }, ['a', '1'], ['a', '1']],
    [
      'leave what the answer says',
      { ...NONE, hsts: 'off', frameOptions: 'DENY' },
      ['X-Frame-Options', 'SAMEORIGIN'],
      ['X-Frame-Options', 'SAMEORIGIN'],
    ],
    [
      'replace it when told to',
      { ...NONE, hsts: 'off', frameOptions: 'DENY', override: true },
      ['X-Frame-Options', 'SAMEORIGIN', 'a', '1'],
      ['a', '1', 'x-frame-options', 'DENY'],
    ],
    [
      'replace what a service says of the host',
      { ...NONE, hsts: { maxAge: '10s' } },
      ['Strict-Transport-Security', 'max-age=0'],
      ['strict-transport-security', 'max-age=10'],
    ],
    [
      'name subdomains and lists',
      { ...NONE, hsts: { maxAge: '365d', includeSubDomains: true, preload: true } },
      [],
      ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'],
    ],
  ])('%s', (_, options, before, after) => expect(edited(options, before)).toEqual(after));

  it('say nothing of HTTPS without it, nor let anybody else', () =>
    expect(edited({ ...NONE }, ['strict-transport-security', 'max-age=1'], 'http')).toEqual([]));

  it('take no preload that no list takes', () =>
    expect(securityHeadersPolicy.schema.safeParse({ hsts: { preload: true } }).success).toBe(false));
});
