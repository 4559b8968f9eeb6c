import { describe, expect, it } from '@jest/globals';
import { nearestName } from './nearest-name.ts';

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
