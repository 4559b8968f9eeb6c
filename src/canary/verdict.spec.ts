import { describe, expect, it } from '@jest/globals';
import { durationBucket, type DurationCounts } from './latency-histogram.ts';
import { binomialTail, judgeDurations, judgeErrors, LatencyLooks, type SideCounts } from './verdict.ts';

const side = (attempts: number, failures = 0, durations: DurationCounts = new Map()): SideCounts => ({
  attempts,
  failures,
  durations,
});
const spread = (...parts: readonly (readonly [ms: number, count: number])[]): DurationCounts =>
  new Map(parts.map(([ms, count]) => [durationBucket(ms), count]));
const TOLERANCE = { errors: 0.049, p95: 1.2 };
const CALM = side(100_000);

describe('judgeErrors', () => {
  // p0 = 0.1 %, p1 = 5 %: +3.91 for a failure and -0.0503 for a success, between -2.99 and +6.86.
  it.each<[SideCounts, string]>([
    [side(1, 1), 'open'],
    [side(2, 2), 'fail'],
    [side(59), 'open'],
    [side(60), 'pass'],
    [side(40, 2), 'open'],
    [side(0), 'open'],
  ])('%j is %s', (canary, is) => {
    expect(judgeErrors(canary, CALM, TOLERANCE).is).toBe(is);
  });

  it('forgives a canary what fails at the stable side as well', () => {
    expect(judgeErrors(side(100, 20), side(1000, 200), { errors: 0.01, p95: undefined }).is).not.toBe('fail');
    expect(judgeErrors(side(100, 90), side(1000, 200), { errors: 0.01, p95: undefined }).is).toBe('fail');
  });

  it('says how bad it is', () => {
    expect(judgeErrors(side(9, 4), side(1000, 1), TOLERANCE).reason).toBe(
      'errors: 4 of 9 attempts failed, of stable 1 of 1000',
    );
  });
});

describe('binomialTail', () => {
  it.each([
    [50, 9], [100, 14], [200, 22], [500, 42], [1000, 74], [2000, 132],
  ])('of %d answers above p95, %d are too many by chance', (n, k) => {
    expect(binomialTail(k, n, 0.05)).toBeLessThan(0.001);
    expect(binomialTail(k - 1, n, 0.05)).toBeGreaterThan(0.001);
  }); // prettier-ignore
});

describe('judgeDurations', () => {
  const stable = spread([10, 950], [20, 30], [40, 20]);
  it.each<[string, DurationCounts, string]>([
    ['the same', spread([10, 190], [20, 6], [40, 4]), 'open'],
    ['twice as slow in a half of all cases', spread([10, 100], [100, 100]), 'fail'],
    ['slower by what nobody feels', spread([10, 100], [11, 100]), 'open'],
  ])('%s', (_name, canary, is) => {
    expect(judgeDurations(canary, stable, 1.2).is).toBe(is);
  });

  const slow = (n: number): SideCounts => side(n, 0, spread([500, n]));
  const times = (n: number): SideCounts =>
    side(n * 1000, 0, new Map([...stable].map(([at, count]) => [at, count * n])));

  it('is asked at 50, at 100 and at every doubling, and suspects first', () => {
    const looks = new LatencyLooks();
    const suspects = (canary: SideCounts, others = times(1)): boolean => {
      expect(looks.judge(canary, others, 1.2, 0).is).toBe('open');
      return looks.isSuspicious;
    };
    expect(suspects(slow(49))).toBe(false);
    expect(suspects(side(50, 0, spread([10, 50])))).toBe(false);
    expect(suspects(slow(99))).toBe(false);
    // Without anything to compare with there is no verdict.
    expect(suspects(slow(100), side(49, 0, spread([10, 49])))).toBe(false);
    expect(suspects(slow(100))).toBe(true);
    looks.reset();
    expect(looks.isSuspicious).toBe(false);
  });

  it('fails by what comes 5 s later and by 50 answers of either side, and by nothing less', () => {
    const looks = new LatencyLooks();
    const judged = (canary: SideCounts, others: SideCounts, ms: number): string =>
      looks.judge(canary, others, 1.2, ms).is;
    expect(judged(slow(50), times(1), 0)).toBe('open');
    expect(judged(slow(400), times(2), 4999)).toBe('open');
    expect(judged(slow(99), times(2), 5000)).toBe('open');
    expect(judged(slow(100), times(1), 5000)).toBe('open');
    expect(judged(slow(100), times(2), 5000)).toBe('fail');
  });

  it('drops a suspicion that what comes later does not bear out', () => {
    const looks = new LatencyLooks();
    looks.judge(slow(50), times(1), 1.2, 0);
    expect(looks.judge(side(100, 0, spread([500, 50], [10, 50])), times(2), 1.2, 5000).is).toBe('open');
    expect(looks.isSuspicious).toBe(false);
  });
});
