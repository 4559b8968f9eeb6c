import { describe, expect, it } from '@jest/globals';
import { NearestNames, nearestName } from './nearest-name.ts';

const POLICIES = ['authentication', 'authorization', 'bodyLimit', 'rateLimit', 'deadline', 'cache'];

describe('nearestName', () => {
  it.each([
    ['ratelimit', 'rateLimit'],
    ['rate_limit', 'rateLimit'],
    ['Rate-Limit', 'rateLimit'],
    ['RATELIMIT', 'rateLimit'],
    ['rateLimt', 'rateLimit'],
    ['raetLimit', 'rateLimit'],
    ['rateLimits', 'rateLimit'],
    ['deadlien', 'deadline'],
    ['authorisation', 'authorization'],
    ['chache', 'cache'],
  ])('takes %s for %s', (given, meant) => {
    expect(nearestName(given, POLICIES)).toBe(meant);
  });

  it.each(['', 'x', 'retry', 'transform', 'timeouts'])(
    'offers nothing for %j, which is near nothing',
    (given) => {
      expect(nearestName(given, POLICIES)).toBeUndefined();
    },
  );

  it('counts swapped letters as one mistake, so that a swap beats two wrong letters', () => {
    expect(nearestName('fiel', ['film', 'file'])).toBe('file');
  });

  it('prefers the same letters with other separators over a name with fewer characters to change', () => {
    expect(nearestName('a_b_c', ['abcd', 'aBC'])).toBe('aBC');
  });

  it('does not let half of a short name be wrong', () => {
    expect(nearestName('ab', ['xy', 'cd'])).toBeUndefined();
    expect(nearestName('per', ['rate'])).toBeUndefined();
  });

  it('takes the first of equally near names', () => {
    expect(nearestName('hosts', ['host', 'posts'])).toBe('host');
  });
});

describe(NearestNames, () => {
  it('finds what nearestName finds', () => {
    const letters = 'aAb_-';
    const word = (seed: number): string =>
      Array.from({ length: 1 + (seed % 5) }, (_, at) => letters[Math.floor(seed / 5 ** at) % 5]).join('');
    const valid = Array.from({ length: 40 }, (_, index) => word(index * 37 + 11));
    const names = new NearestNames(valid);
    for (let seed = 0; seed < 3125; seed += 1) {
      expect([word(seed), names.to(word(seed))]).toEqual([word(seed), nearestName(word(seed), valid)]);
    }
  });

  it('compares a bounded number of names, and then still finds the same letters', () => {
    const valid = Array.from({ length: 2000 }, (_, index) => `service-${index}`);
    let read = 0;
    const counted = valid.map((name) => ({
      replace: (...args: Parameters<string['replace']>) => ((read += 1), name.replace(...args)),
    }));
    const names = new NearestNames(counted as unknown as string[]);
    for (let index = 0; index < 2000; index += 1) names.to(`servise-x${index}`);
    // Once to know their letters, and 200 times to compare them.
    expect(read).toBe(2000 + 400_000);
    expect(new NearestNames(valid).to('Service_7')).toBe('service-7');
  });
});
