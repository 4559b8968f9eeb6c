import { describe, expect, it } from '@jest/globals';
import { fieldOf, freshnessOf, parseCacheControl } from './freshness.ts';

const OWN = { entry: false, authenticated: true };
const SHARED = { entry: true, authenticated: false };
const SHARED_WITH_CREDENTIALS = { entry: true, authenticated: true };

describe('freshnessOf', () => {
  it.each([200, 203, 204, 300, 301, 404, 405, 410, 414])('lets %i be stored', (status) => {
    expect(freshnessOf(status, [], OWN)).toEqual({ storable: true, freshMs: undefined, mayBeStale: true });
  });

  it.each([201, 202, 206, 302, 304, 307, 400, 401, 403, 429, 500, 502, 503])(
    'lets %i not be stored',
    (status) => {
      expect(freshnessOf(status, ['cache-control', 'max-age=60'], OWN).storable).toBe(false);
    },
  );

  it.each<[string, string[], typeof OWN, boolean]>([
    ['no-store', ['Cache-Control', 'max-age=60, No-Store'], OWN, false],
    ['no-cache', ['cache-control', 'no-cache'], OWN, false],
    ['no-store on a second line', ['cache-control', 'max-age=60', 'cache-control', 'no-store'], OWN, false],
    ['a cookie', ['Set-Cookie', 'a=b'], OWN, false],
    ['Vary: *', ['vary', '*'], OWN, false],
    ['Vary: * in a list', ['vary', 'accept', 'vary', 'origin, *'], OWN, false],
    ['Vary of fields', ['vary', 'accept'], OWN, true],
    ['private, for one principal', ['cache-control', 'private, max-age=1'], OWN, true],
    ['private, for all', ['cache-control', 'private, max-age=1'], SHARED, false],
    ['private of one field, for all', ['cache-control', 'private="x-a"'], SHARED, false],
    ['nothing, for all', [], SHARED, true],
    ['nothing, for all, with credentials', [], SHARED_WITH_CREDENTIALS, false],
    ['max-age, for all, with credentials', ['cache-control', 'max-age=9'], SHARED_WITH_CREDENTIALS, false],
    ['public, for all, with credentials', ['cache-control', 'public'], SHARED_WITH_CREDENTIALS, true],
    ['s-maxage, for all, with credentials', ['cache-control', 's-maxage=9'], SHARED_WITH_CREDENTIALS, true],
  ])('reads %s', (_, headers, shared, storable) => {
    expect(freshnessOf(200, headers, shared).storable).toBe(storable);
  });

  it.each<[string, string[], typeof OWN, number | undefined]>([
    ['nothing', [], OWN, undefined],
    ['max-age', ['cache-control', 'max-age=60'], OWN, 60_000],
    ['a quoted max-age', ['cache-control', 'max-age="60"'], OWN, 60_000],
    ['max-age=0', ['cache-control', 'max-age=0'], OWN, 0],
    ['a max-age that is no number', ['cache-control', 'max-age=soon'], OWN, 0],
    ['a negative max-age', ['cache-control', 'max-age=-1'], OWN, 0],
    ['an empty max-age', ['cache-control', 'max-age'], OWN, 0],
    ['s-maxage, for one principal', ['cache-control', 's-maxage=9, max-age=60'], OWN, 60_000],
    ['s-maxage, for all', ['cache-control', 'max-age=60, s-maxage=9'], SHARED, 9000],
    ['the age that it already has', ['cache-control', 'max-age=60', 'age', '50'], OWN, 10_000],
    ['an age beyond its time', ['cache-control', 'max-age=60', 'Age', '90'], OWN, 0],
    [
      'Expires',
      ['date', 'Sun, 22 Nov 2026 12:00:00 GMT', 'expires', 'Sun, 22 Nov 2026 12:01:00 GMT'],
      OWN,
      60_000,
    ],
    ['Expires in the past', ['expires', 'Thu, 01 Jan 1970 00:00:00 GMT'], OWN, 0],
    ['Expires: 0', ['expires', 'never'], OWN, 0],
    ['max-age before Expires', ['cache-control', 'max-age=5', 'expires', '0'], OWN, 5000],
  ])('is fresh by %s', (_, headers, shared, freshMs) => {
    expect(freshnessOf(200, headers, shared).freshMs).toBe(freshMs);
  });

  it.each<[string, typeof OWN, boolean]>([
    ['max-age=1', OWN, true],
    ['max-age=1, must-revalidate', OWN, false],
    ['max-age=1, proxy-revalidate', OWN, true],
    ['max-age=1, proxy-revalidate', SHARED, false],
  ])('lets "%s" stand in stale, %j: %s', (value, shared, mayBeStale) => {
    expect(freshnessOf(200, ['cache-control', value], shared).mayBeStale).toBe(mayBeStale);
  });
});

describe('parseCacheControl', () => {
  it('reads directives with and without arguments', () => {
    expect([...parseCacheControl('Public , max-age = "5",no-transform')]).toEqual([
      ['public', ''],
      ['max-age', '5'],
      ['no-transform', ''],
    ]);
    expect(parseCacheControl(undefined).size).toBe(0);
  });
});

describe('fieldOf', () => {
  it('finds the first value of a field in any spelling', () => {
    expect(fieldOf(['a', 'b', 'B', '1', 'b', '2'], 'b')).toBe('1');
    expect(fieldOf(['a', 'b'], 'b')).toBeUndefined();
  });
});
