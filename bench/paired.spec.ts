import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../test/support/random.ts';
import {
  compare,
  compareAll,
  middleMean,
  resolutionOf,
  textOf,
  verdictOf,
  type CostRound,
} from './paired.ts';

const round = (cost: number, isSpoiled = false): CostRound => ({ cost, isSpoiled });

interface Noise {
  readonly seed: number;
  /** Of one round, as a share. */
  readonly spread: number;
  /** Of the machine, from the first round to the last. */
  readonly drift?: number;
  /** The share of rounds in which somebody else uses the machine. */
  readonly disturbed?: number;
}

/** Rounds A B B A of two configurations, the second of which costs `ratio` of the first. */
function rounds(ratio: number, blocks: number, { seed, spread, drift = 0, disturbed = 0 }: Noise) {
  const random = randomFrom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let at = 0;
  const cost = (mean: number): CostRound => {
    at += 1;
    const worse = random() < disturbed ? 1 + random() : 1;
    return round(mean * (1 + (drift * at) / (4 * blocks)) * Math.exp(spread * normal()) * worse);
  };
  const [base, other]: [CostRound[], CostRound[]] = [[], []];
  for (let block = 0; block < blocks; block += 1) {
    base.push(cost(60));
    other.push(cost(60 * ratio), cost(60 * ratio));
    base.push(cost(60));
  }
  return compare(base, other, seed);
}

describe('rounds of two that took turns', () => {
  it('are told apart exactly where nothing is noise', () => {
    const { ratio, low, high } = rounds(1.03, 6, { seed: 1, spread: 0 });
    expect([ratio, low, high].map((one) => one.toFixed(9))).toEqual(Array(3).fill('1.030000000'));
  });

  it('have an interval that holds the truth in about 95 of a hundred repetitions', () => {
    let held = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const { low, high } = rounds(1.02, 30, { seed, spread: 0.05 });
      if (low <= 1.02 && 1.02 <= high) held += 1;
    }
    expect(held).toBeGreaterThanOrEqual(88);
    expect(held).toBeLessThanOrEqual(99);
  });

  it('have a narrower interval the more of them there are', () => {
    const width = (blocks: number): number => {
      const { low, high } = rounds(1, blocks, { seed: 3, spread: 0.05 });
      return high - low;
    };
    expect(width(160)).toBeLessThan(0.6 * width(20));
  });

  it('are not moved by a machine that gets slower evenly', () => {
    expect(rounds(1, 30, { seed: 4, spread: 0, drift: 0.5 }).ratio).toBeCloseTo(1, 3);
  });

  it('are hardly moved by rounds in which somebody else used the machine', () => {
    expect(rounds(1, 60, { seed: 5, spread: 0.01, disturbed: 0.08 }).ratio).toBeCloseTo(1, 2);
  });

  it('leave out a block with a round that is known to be spoiled, whoever it is of', () => {
    const base = Array.from({ length: 16 }, (_, index) => round(index === 3 ? 900 : 60, index === 3));
    const other = Array.from({ length: 16 }, (_, index) => round(index === 8 ? 900 : 63, index === 8));
    const compared = compare(base, other);
    expect(compared).toMatchObject({ blocks: 6, spoiled: 2 });
    expect(compared.ratio).toBeCloseTo(1.05, 9);
  });

  it('say nothing where too few are left', () => {
    const spoiled = Array.from({ length: 40 }, () => round(60, true));
    const compared = compare(spoiled, spoiled);
    expect(compared).toMatchObject({ ratio: NaN, blocks: 0, spoiled: 20 });
    expect(textOf(compared)).toBe('too few quiet rounds');
    expect(compareAll(spoiled, spoiled)).toMatchObject({ ratio: 1, low: 1, high: 1, blocks: 20 });
    expect(verdictOf(compared, 1.05)).toBe('not decided');
  });
});

describe('a promise about a ratio', () => {
  const of = (ratio: number, low: number, high: number) => ({ ratio, low, high, blocks: 30, spoiled: 0 });

  it.each([
    [of(1.02, 1.01, 1.03), 0, 'kept'],
    [of(1.02, 1, 1.06), 0, 'not decided'],
    [of(1.08, 1.04, 1.12), 0, 'not decided'],
    [of(1.08, 1.06, 1.1), 0, 'broken'],
    // What cannot be seen in a configuration beside itself is not seen here either.
    [of(1.02, 1.01, 1.03), 0.04, 'not decided'],
    [of(1.08, 1.06, 1.1), 0.04, 'not decided'],
    [of(1.2, 1.19, 1.21), 0.04, 'broken'],
  ] as const)('of %j with a resolution of %d is %s', (compared, resolution, verdict) => {
    expect(verdictOf(compared, 1.05, resolution)).toBe(verdict);
  });

  it('cannot be judged more finely than a configuration is like itself', () => {
    expect(resolutionOf(of(1, 0.98, 1.01))).toBeCloseTo(0.02);
    expect(resolutionOf(of(1, 0.999, 1.03))).toBeCloseTo(0.03);
  });
});

it('the middle half of numbers does not know what lies outside of it', () => {
  expect(middleMean([1, 2, 3, 4])).toBe(2.5);
  expect(middleMean([-1000, 2, 3, 1e9])).toBe(2.5);
  expect(middleMean([5])).toBe(5);
});
