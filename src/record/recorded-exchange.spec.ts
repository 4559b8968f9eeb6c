import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { recordedExchange } from './recorded-exchange.ts';
import { exchangeSchema } from './sample-format.ts';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const NO_BODIES = { body: undefined, answer: undefined };

describe('what is recorded of an exchange', () => {
  it('is what the format says, at the time when it began', () => {
    const exchange = createExchange({ method: 'POST', target: '/a?b=1', headers: ['Host', 'api.test', 'x-plain', 'seen'] });
    exchange.status = 403;
    exchange.problem = new Problem('permission-denied', { by: 'authorization anyRole(admin)' });
    const recorded = recordedExchange(exchange, NO_BODIES, NOW);
    expect(exchangeSchema.parse(JSON.parse(JSON.stringify(recorded)))).toMatchObject({
      method: 'POST',
      url: 'http://api.test/a?b=1',
      headers: [['Host', 'api.test'], ['x-plain', 'seen']],
      dropped: [],
      from: '203.0.113.7',
      status: 403,
      problem: 'permission-denied',
      by: 'authorization anyRole(admin)',
    });
    expect(Date.parse(recorded.at)).toBeLessThanOrEqual(NOW);
    expect(NOW - Date.parse(recorded.at)).toBeLessThan(60_000);
  }); // prettier-ignore

  it('has no credential, by its name or by its look', () => {
    const token = `eyJhbGciOiJIUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`;
    const headers = ['authorization', 'Bearer x', 'Cookie', 'sid=1', 'x-note', token, ':path', '/'];
    const exchange = createExchange({ target: `/a?api_key=Ab-1%2F&plain=${token}&${token}`, headers });
    exchange.principal = createPrincipal('alice', { claims: { password_hint: 'fish', deep: { secret: 'x', list: [token] } } });
    const { dropped, ...recorded } = recordedExchange(exchange, NO_BODIES, NOW);
    expect(dropped).toEqual(['authorization', 'cookie']);
    expect(recorded.url).toMatch(/\?api_key=xx-0x&/);
    expect(recorded.headers.map(([name]) => name)).toEqual(['x-note']);
    expect(recorded.as?.claims).toMatchObject({ password_hint: '(hidden)', deep: { secret: '(hidden)' } });
    expect(JSON.stringify(recorded)).not.toContain(token);
  }); // prettier-ignore

  it.each([
    ['?s3cret9', '?x0xxxx0'],
    ['?czNjcmV0=', '?xxXxxxX0='.replaceAll('X', 'x')],
    ['?verbose&dry-run=', '?verbose&dry-run='],
    ['?{"token":"s3cret"}=1', '?{"xxxxx":"x0xxxx"}=0'],
    ['?filter%5Bname%5D=x&page=2', '?filter%5Bname%5D=x&page=2'],
    ['?%74oken=s3cret', '?%74oken=x0xxxx'],
    ['?=s3cret', '?=s3cret'],
  ])('shows the query %s as %s', (query, shown) => {
    const { url } = recordedExchange(createExchange({ target: `/a${query}` }), NO_BODIES, NOW);
    expect(url.slice(url.indexOf('?'))).toBe(shown);
  });

  it('has no token in the names of protocols, no user information in a host', () => {
    const headers = ['Host', 'me:s3cret@api.test', 'Sec-WebSocket-Protocol', 'mqtt, s3cret', 'DPoP', 's3cret', 'x-a', 'pin=s3cret'];
    const recorded = recordedExchange(createExchange({ headers }), NO_BODIES, NOW);
    expect(JSON.stringify(recorded)).not.toContain('s3cret');
    expect(recorded.dropped).toEqual(['dpop']);
  }); // prettier-ignore
});
