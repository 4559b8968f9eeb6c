import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { recordedExchange, withoutSecrets } from './recorded-exchange.ts';
import { exchangeSchema } from './sample-format.ts';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');

describe('what is recorded of an exchange', () => {
  it('is what the format says, at the time when it began', () => {
    const exchange = createExchange({ method: 'POST', target: '/a?b=1', headers: ['Host', 'api.test', 'x-plain', 'seen'] });
    exchange.status = 403;
    exchange.problem = new Problem('permission-denied', { by: 'authorization anyRole(admin)' });
    const recorded = recordedExchange(exchange, { body: undefined, answer: undefined }, NOW);
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
    const { dropped, ...recorded } = recordedExchange(exchange, { body: undefined, answer: undefined }, NOW);
    expect(dropped).toEqual(['authorization', 'cookie']);
    expect(recorded.url).toMatch(/\?api_key=xx-0x&/);
    expect(recorded.headers.map(([name]) => name)).toEqual(['x-note']);
    expect(recorded.as?.claims).toMatchObject({ password_hint: '(hidden)', deep: { secret: '(hidden)' } });
    expect(JSON.stringify(recorded)).not.toContain(token);
  }); // prettier-ignore
});

describe('JSON without secrets', () => {
  it('keeps the rest as it was', () => {
    const value = { a: 1, b: [true, null, { token: 'x' }], c: 'text' };
    expect(withoutSecrets(value, 0)).toEqual({ a: 1, b: [true, null, { token: '(hidden)' }], c: 'text' });
  });

  it('hides what is too deep to be looked at', () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 20; level += 1) deep = { deep };
    expect(JSON.stringify(withoutSecrets(deep, 0))).not.toContain('bottom');
    expect(JSON.stringify(withoutSecrets(deep, 0))).toContain('(hidden)');
  });
});
