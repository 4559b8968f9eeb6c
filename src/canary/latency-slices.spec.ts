import { describe, expect, it } from '@jest/globals';
import { durationBucket, type DurationCounts } from './latency-histogram.ts';
import { LatencySlices, rankSum, slower } from './latency-slices.ts';
import { SideTally } from './tally.ts';

const spread = (...parts: readonly (readonly [ms: number, count: number])[]): DurationCounts =>
  new Map(parts.map(([ms, count]) => [durationBucket(ms), count]));

describe('rankSum', () => {
  it('is what it is by hand, with ties', () => {
    // U = 8.5 of 9 with means of 4.5; variance 9/12 · (7 - 12/30).
    expect(rankSum(spread([20, 1], [30, 1], [40, 1]), spread([10, 2], [20, 1]))).toBeCloseTo(
      4 / Math.sqrt(4.95),
    );
    expect(rankSum(spread([20, 50]), spread([20, 50]))).toBe(0);
  });
});

describe('slower', () => {
  const stable = spread([10, 90], [40, 10]);
  it.each<[string, DurationCounts, boolean]>([
    ['the same', spread([10, 90], [40, 10]), false],
    ['all twice as slow', spread([20, 90], [80, 10]), true],
    ['all slower by less than the ratio', spread([11, 90], [44, 10]), false],
    ['slower by less than 5 ms', spread([10, 1], [43, 99]), false],
    ['a p95 by chance', spread([10, 93], [80, 7]), false],
  ])('%s', (_name, canary, is) => {
    expect(slower(canary, stable, 1.2) !== undefined).toBe(is);
  });
});

describe('LatencySlices', () => {
  const begun = () => {
    const slices = new LatencySlices();
    const sides = { canary: new SideTally(), stable: new SideTally() };
    let now = 0;
    slices.isDue(now, 0, 0);
    const slice = (canaryMs: number, { n = 50, m = 50, spent = 5000 } = {}): string => {
      for (let i = 0; i < n; i += 1) sides.canary.count(false, canaryMs);
      for (let i = 0; i < m; i += 1) sides.stable.count(false, 10);
      now += spent;
      if (!slices.isDue(now, sides.canary.attempts, sides.stable.attempts)) return 'no slice';
      const [canary, stable] = [new SideTally(), new SideTally()];
      canary.add(sides.canary);
      stable.add(sides.stable);
      return slices.judge({ canary, stable }, 1.2, now).is;
    };
    return { slices, slice };
  };

  it('fails what is slower in nine slices, and suspects it from the second on', () => {
    const { slices, slice } = begun();
    const seen = Array.from({ length: 9 }, () => [slice(40), slices.isSuspicious]);
    expect(seen).toEqual([
      ['open', false],
      ...Array.from({ length: 7 }, () => ['open', true]),
      ['fail', true],
    ]);
  });

  it('makes no slice of less than 5 s or of 49 answers of either side', () => {
    expect(begun().slice(40, { spent: 4999 })).toBe('no slice');
    expect(begun().slice(40, { n: 49 })).toBe('no slice');
    expect(begun().slice(40, { m: 49 })).toBe('no slice');
  });

  it('never fails what is slower in every third slice, however much', () => {
    const { slice } = begun();
    const seen = Array.from({ length: 300 }, (_, at) => slice(at % 3 === 0 ? 60_000 : 10));
    expect(new Set(seen)).toEqual(new Set(['open']));
  });

  it('goes on with what it knows in the next step', () => {
    const { slices, slice } = begun();
    slice(40);
    slice(40);
    slices.restart();
    expect(slices.isSuspicious).toBe(true);
  });
});
