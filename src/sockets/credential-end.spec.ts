import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { principalOf } from '../policies/authentication/tokens/token-principal.ts';
import { credentialLeftMs, endWithCredential } from './credential-end.ts';

const NAMES = { roles: ['roles'], permissions: ['permissions'], email: 'email', tenant: 'tid', tier: 'tier' };
const DAY_MS = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_900_000_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

function exchangeUntil(...ends: (number | undefined)[]): Exchange {
  const exchange = createExchange({});
  const [first, ...also] = ends.map((inMs) =>
    principalOf({ sub: 'a', ...(inMs !== undefined && { exp: (Date.now() + inMs) / 1000 }) }, NAMES),
  );
  if (first !== undefined) exchange.principal = also.length === 0 ? first : { ...first, also };
  return exchange;
}

it.each([
  ['nobody', [], Infinity],
  ['one without an end', [undefined], Infinity],
  ['the first of several', [9000, 5000], 5000],
  ['one that is over', [-1000], 0],
])('knows how long is left of %s', (_what, ends, left) => {
  expect(credentialLeftMs(exchangeUntil(...(ends as (number | undefined)[])))).toBe(left);
});

// Timers of Node hold 24.8 days.
it.each([1000, 60 * DAY_MS])('ends once, when the credential does: %i ms', (inMs) => {
  const exchange = exchangeUntil(inMs);
  const end = jest.fn();
  endWithCredential(exchange, end);
  expect(exchange.endsItself).toBe(true);
  jest.advanceTimersByTime(inMs - 1);
  expect(end).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1 + DAY_MS);
  expect(end.mock.calls).toEqual([[expect.objectContaining({ code: 'credentials-expired' })]]);
  expect(exchange.problem?.code).toBe('credentials-expired');
});

it('does nothing more once it has ended otherwise', () => {
  const end = jest.fn();
  endWithCredential(exchangeUntil(1000), end)();
  jest.advanceTimersByTime(2000);
  expect(end).not.toHaveBeenCalled();
});
