import { describe, expect, it } from '@jest/globals';
import { OrderFault, readOrder, revocationOrders } from './revocation-order.ts';
import { secondsOf } from './revocation-marks.ts';

const NOW = Date.UTC(2026, 10, 27, 10, 0, 0, 500);
const DAY_MS = 86_400_000;
const terms = { issuers: ['https://a.test'], longest: DAY_MS, nowMs: NOW };
const read = (order: object, issuers = terms.issuers) =>
  readOrder(revocationOrders.parse(order)[0] as never, { ...terms, issuers });

describe('an order', () => {
  it('revokes a token for the longest life of one, or until it expires', () => {
    expect(read({ jti: 'x' })).toMatchObject({
      kind: 'jti',
      until: '2026-11-28T10:00:00.500Z',
      token: { jti: 'x', forMs: DAY_MS },
    });
    expect(read({ jti: 'x', expiresAt: NOW / 1000 + 60 })).toMatchObject({
      until: '2026-11-27T10:01:00.500Z',
    });
    expect(read({ jti: 'x', expiresAt: '2027-11-27T10:00:00Z' })).toMatchObject({
      until: '2026-11-28T10:00:00.500Z',
    });
  });

  it('revokes what a subject was issued up to now, this second included', () => {
    const whole = Math.floor(secondsOf(NOW)) + 1;
    expect(read({ sub: 'alice' })).toMatchObject({
      time: -whole,
      issuer: 'https://a.test',
      issuedBefore: '2026-11-27T10:00:01.000Z',
    });
    expect(read({ sub: 'alice', issuedBefore: '2026-11-27T09:00:00.200+00:00' })).toMatchObject({
      issuedBefore: '2026-11-27T09:00:01.000Z',
    });
  });

  it.each([
    ['nothing', {}, 'exactly one of'],
    ['two things', { jti: 'a', sub: 'b' }, 'exactly one of'],
    ['an unknown key', { jti: 'a', forever: true }, 'forever'],
    ['an empty name', { jti: '' }, 'jti'],
    ['too long a name', { jti: 'x'.repeat(1025) }, 'jti'],
    ['a token of an issuer', { jti: 'a', issuer: 'https://a.test' }, 'does not go with jti'],
    ['a session before a time', { sid: 'a', issuedBefore: 1 }, 'goes with sub only'],
    ['a subject that expires', { sub: 'a', expiresAt: 1 }, 'expected issuedBefore'],
    ['too many at once', Array.from({ length: 1001 }, () => ({ jti: 'a' })), '1000'],
  ])('of %s is refused', (_what, order, words) => {
    expect(() => revocationOrders.parse(order)).toThrow(words);
  });

  it.each([
    [
      'of an issuer that there is not',
      { sub: 'a', issuer: 'https://b.test' },
      undefined,
      'there is no issuer',
    ],
    ['of nobody knows which of several', { sub: 'a' }, ['https://a.test', 'https://b.test'], 'several'],
    ['for a token that has expired', { jti: 'a', expiresAt: NOW / 1000 - 1 }, undefined, 'has passed'],
    ['for the future', { sub: 'a', issuedBefore: NOW / 1000 + 120 }, undefined, 'has come'],
    ['for what has expired', { sub: 'a', issuedBefore: NOW / 1000 - 86_402 }, undefined, 'has expired'],
  ])('%s is refused', (_what, order, issuers, words) => {
    const reading = (): unknown => read(order, issuers);
    expect(reading).toThrow(OrderFault);
    expect(reading).toThrow(words);
  });
});
