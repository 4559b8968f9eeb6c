import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { fieldOf } from '../../exchange/field-list.ts';
import { ageMsOf, currentAgeMs, freshnessOf, type EntryOwner } from './freshness.ts';

const OWN: EntryOwner = { isShared: false, isOneUser: true, authenticated: true };
const OF_APPLICATION: EntryOwner = { isShared: false, isOneUser: false, authenticated: true };
const SHARED: EntryOwner = { isShared: true, isOneUser: false, authenticated: false };
const SHARED_WITH_CREDENTIALS: EntryOwner = { isShared: true, isOneUser: false, authenticated: true };

const NOW = 'Sun, 22 Nov 2026 12:00:00 GMT';
const IN_A_MINUTE = 'Sun, 22 Nov 2026 12:01:00 GMT';

beforeAll(() => void jest.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z') }));
afterAll(() => void jest.useRealTimers());

describe('freshnessOf', () => {
  it.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])('lets %i be stored', (status) => {
    expect(freshnessOf(status, [], OWN)).toMatchObject({
      storable: true,
      freshMs: undefined,
      mayBeStale: true,
    });
  });

  it.each([201, 202, 302, 307, 400, 401, 403, 429, 500, 502, 503])(
    'lets %i be stored only for a time that it says',
    (status) => {
      expect(freshnessOf(status, ['cache-control', 'public'], OWN).storable).toBe(false);
      expect(freshnessOf(status, ['cache-control', 'max-age=60'], OWN).storable).toBe(true);
      expect(freshnessOf(status, ['expires', IN_A_MINUTE], OWN).storable).toBe(true);
    },
  );

  it.each([103, 206, 304])('never lets %i be stored', (status) => {
    expect(freshnessOf(status, ['cache-control', 'max-age=60'], OWN).storable).toBe(false);
  });

  it.each<[string, string[], EntryOwner, boolean]>([
    ['no-store', ['Cache-Control', 'max-age=60, No-Store'], OWN, false],
    ['no-cache, to be asked about', ['cache-control', 'no-cache'], OWN, true],
    ['must-understand', ['cache-control', 'must-understand, no-store, max-age=9'], OWN, true],
    ['no-store on a second line', ['cache-control', 'max-age=60', 'cache-control', 'no-store'], OWN, false],
    ['a cookie', ['Set-Cookie', 'a=b'], OWN, false],
    ['Vary: *', ['vary', '*'], OWN, false],
    ['Vary: * in a list', ['vary', 'accept', 'vary', 'origin, *'], OWN, false],
    ['Vary of fields', ['vary', 'accept'], OWN, true],
    ['private, for one user', ['cache-control', 'private, max-age=1'], OWN, true],
    ['private, for an application', ['cache-control', 'private, max-age=1'], OF_APPLICATION, false],
    ['private of one field, for an application', ['cache-control', 'private="x-a"'], OF_APPLICATION, false],
    ['nothing, for an application', [], OF_APPLICATION, true],
    ['private, for all', ['cache-control', 'private, max-age=1'], SHARED, false],
    ['private of one field, for all', ['cache-control', 'private="x-a"'], SHARED, false],
    ['nothing, for all', [], SHARED, true],
    ['nothing, for all, with credentials', [], SHARED_WITH_CREDENTIALS, false],
    ['max-age, for all, with credentials', ['cache-control', 'max-age=9'], SHARED_WITH_CREDENTIALS, false],
    ['public within quotes', ['cache-control', 'x="a, public"'], SHARED_WITH_CREDENTIALS, false],
    ['what cannot be read', ['cache-control', 'max-age=60, private"'], OWN, false],
    ['public, for all, with credentials', ['cache-control', 'public'], SHARED_WITH_CREDENTIALS, true],
    ['s-maxage, for all, with credentials', ['cache-control', 's-maxage=9'], SHARED_WITH_CREDENTIALS, true],
  ])('reads %s', (_, headers, shared, storable) => {
    expect(freshnessOf(200, headers, shared).storable).toBe(storable);
  });

  it.each<[string, string[], EntryOwner, number | undefined]>([
    ['nothing', [], OWN, undefined],
    ['max-age', ['cache-control', 'max-age=60'], OWN, 60_000],
    ['a quoted max-age', ['cache-control', 'max-age="60"'], OWN, 60_000],
    ['max-age=0', ['cache-control', 'max-age=0'], OWN, 0],
    ['a max-age that is no number', ['cache-control', 'max-age=soon'], OWN, 0],
    ['a negative max-age', ['cache-control', 'max-age=-1'], OWN, 0],
    ['an empty max-age', ['cache-control', 'max-age'], OWN, 0],
    ['s-maxage, for one user', ['cache-control', 's-maxage=9, max-age=60'], OWN, 9000],
    ['max-age below s-maxage, for one user', ['cache-control', 's-maxage=60, max-age=9'], OWN, 9000],
    ['s-maxage alone, for one user', ['cache-control', 's-maxage=9'], OWN, 9000],
    [
      'the first max-age',
      ['cache-control', 'max-age=5, max-age=60', 'cache-control', 'max-age=70'],
      OWN,
      5000,
    ],
    ['more seconds than count', ['cache-control', `max-age=${'9'.repeat(400)}`], OWN, 2 ** 31 * 1000],
    ['no age of a list', ['cache-control', 'max-age=60', 'age', '0, 0'], OWN, 0],
    ['no age of two lines', ['cache-control', 'max-age=60', 'age', '0', 'age', '0'], OWN, 0],
    ['an age that is none', ['cache-control', 'max-age=60', 'age', '1.5'], OWN, 0],
    ['a negative age', ['cache-control', 'max-age=60', 'age', '-1'], OWN, 0],
    [
      'a Date in the past',
      ['cache-control', 'max-age=60', 'date', 'Sun, 22 Nov 2026 11:59:09 GMT'],
      OWN,
      10_000,
    ],
    ['a Date ahead', ['cache-control', 'max-age=60', 'date', IN_A_MINUTE], OWN, 60_000],
    ['s-maxage, for all', ['cache-control', 'max-age=60, s-maxage=9'], SHARED, 9000],
    ['the age that it already has', ['cache-control', 'max-age=60', 'age', '50'], OWN, 10_000],
    ['an age beyond its time', ['cache-control', 'max-age=60', 'Age', '90'], OWN, 0],
    ['Expires', ['date', NOW, 'expires', IN_A_MINUTE], OWN, 60_000],
    ['Expires without a Date', ['expires', IN_A_MINUTE], OWN, 60_000],
    ['Expires before its Date', ['date', IN_A_MINUTE, 'expires', NOW], OWN, 0],
    ['Expires beside a Date that is none', ['date', 'today', 'expires', IN_A_MINUTE], OWN, 60_000],
    ['two lines of Expires', ['expires', IN_A_MINUTE, 'expires', IN_A_MINUTE], OWN, 0],
    ['no-cache', ['cache-control', 'no-cache, max-age=60'], OWN, 0],
    ['Expires in the past', ['expires', 'Thu, 01 Jan 1970 00:00:00 GMT'], OWN, 0],
    ['Expires: 0', ['expires', 'never'], OWN, 0],
    ['max-age before Expires', ['cache-control', 'max-age=5', 'expires', '0'], OWN, 5000],
  ])('is fresh by %s', (_, headers, shared, freshMs) => {
    expect(freshnessOf(200, headers, shared).freshMs).toBe(freshMs);
  });

  it.each<[string, EntryOwner, boolean]>([
    ['max-age=1', OWN, true],
    ['max-age=1, must-revalidate', OWN, false],
    ['max-age=1, proxy-revalidate', OWN, false],
    ['s-maxage=1', OWN, false],
    ['s-maxage=1, max-age=9', SHARED, false],
    ['public', SHARED, true],
    ['max-age=1, proxy-revalidate', SHARED, false],
  ])('lets "%s" stand in stale, %j: %s', (value, shared, mayBeStale) => {
    expect(freshnessOf(200, ['cache-control', value], shared).mayBeStale).toBe(mayBeStale);
  });
});

// Each of them is a time ahead to a lenient reader (RFC 9111 section 5.3: an invalid date is one in the past).
it.each([
  '0', '-1', '', '2099', 'never', '4102444800', '2099-11-22T12:00:00Z', 'Sun, 22 Nov 2099 12:00:00 UTC',
  'Sun, 22 Nov 2099 12:00:00 +0000', 'Sun, 22 Nov 2099 12:00:00', 'Sun 22 Nov 2099 12:00:00 GMT',
  'Sun, 22 Nov 2099 12:00:00 GMT ', 'sun, 22 nov 2099 12:00:00 gmt', '22 Nov 2099 12:00:00 GMT',
  'Sun, 22 Nov 2099 25:00:00 GMT', 'Sun, 22 Nov 2099 12:60:00 GMT', 'Sun, 31 Feb 2099 12:00:00 GMT',
  'Sun, 22 Nov 2099 12:00 GMT', 'Sun, 22-Nov-2099 12:00:00 GMT', 'Sun, 22 Nov 2099 12:00:00 GMT, x',
])('takes Expires: %s for the past', (expires) => {
  expect(freshnessOf(200, ['expires', expires], OWN).freshMs).toBe(0);
}); // prettier-ignore

describe('the age of an answer', () => {
  it('is what caches before us say, or its Date if that is more', () => {
    const old = ['date', 'Sun, 22 Nov 2026 11:58:59 GMT'];
    expect([currentAgeMs([]), currentAgeMs(old), currentAgeMs(['age', '90', ...old])]).toEqual([
      0, 60_000, 90_000,
    ]);
    expect(currentAgeMs(['date', 'yesterday'])).toBe(0);
    expect(ageMsOf(['age', '9'.repeat(30)])).toBe(2 ** 31 * 1000);
  });
});

describe('fieldOf', () => {
  it('finds the first value of a field in any spelling', () => {
    expect(fieldOf(['a', 'b', 'B', '1', 'b', '2'], 'b')).toBe('1');
    expect(fieldOf(['a', 'b'], 'b')).toBeUndefined();
  });
});
