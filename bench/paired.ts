import { randomFrom } from '../test/support/random.ts';

/** What a round of one configuration has cost. */
export interface CostRound {
  /** Of a request, in any unit. */
  readonly cost: number;
  /** Whether the machine was somebody else's meanwhile, by a rule that was fixed before. */
  readonly isSpoiled: boolean;
}

/** How much one configuration costs of another one. */
export interface Compared {
  readonly ratio: number;
  /** 95 of a hundred repetitions would find the ratio between these. */
  readonly low: number;
  readonly high: number;
  /** Blocks that went in, and those that were left out. */
  readonly blocks: number;
  readonly spoiled: number;
}

/** Samples that the interval is drawn from. */
const SAMPLES = 4000;
const TAIL = 0.025;
/** Fewer blocks say nothing about how far they scatter. */
const LEAST_BLOCKS = 6;
/** The share of blocks that is left out at either end: one that was disturbed lies far away, in either direction. */
const TRIMMED = 0.25;

/**
 * Compares two configurations that took turns, in blocks of two rounds of each that run forwards and backwards (A B B A), so that what
 * drifts evenly is the same for both. A block with a spoiled round is left out; of the others it is the mean of the middle half of
 * the logarithms of their ratios, with a bootstrap interval.
 *
 * @returns ratio and interval of NaN where fewer than six blocks are left.
 */
export function compare(base: readonly CostRound[], other: readonly CostRound[], seed = 1): Compared {
  const found: number[] = [];
  const blocks = Math.floor(Math.min(base.length, other.length) / 2);
  for (let at = 0; at < 2 * blocks; at += 2) {
    const ofBlock = [base[at], base[at + 1], other[at], other[at + 1]] as CostRound[];
    if (ofBlock.some(({ isSpoiled }) => isSpoiled)) continue;
    const [a, again, b, back] = ofBlock.map(({ cost }) => Math.log(cost)) as [number, number, number, number];
    found.push((b + back - a - again) / 2);
  }
  const counts = { blocks: found.length, spoiled: blocks - found.length };
  if (found.length < LEAST_BLOCKS) return { ratio: NaN, low: NaN, high: NaN, ...counts };
  const random = randomFrom(seed);
  const samples = Array.from({ length: SAMPLES }, () =>
    middleMean(found.map(() => found[Math.floor(random() * found.length)] as number)),
  ).sort((one, two) => one - two);
  const at = (share: number): number => Math.exp(samples[Math.floor(share * (SAMPLES - 1))] as number);
  return { ratio: Math.exp(middleMean(found)), low: at(TAIL), high: at(1 - TAIL), ...counts };
}

/** As {@link compare}, of all rounds, spoiled or not: what it would say if nobody minded. */
export function compareAll(base: readonly CostRound[], other: readonly CostRound[]): Compared {
  const all = (rounds: readonly CostRound[]): CostRound[] =>
    rounds.map(({ cost }) => ({ cost, isSpoiled: false }));
  return compare(all(base), all(other));
}

/** The mean of the middle half of numbers. */
export function middleMean(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const cut = Math.floor(sorted.length * TRIMMED);
  const middle = sorted.slice(cut, sorted.length - cut);
  return middle.reduce((sum, number) => sum + number, 0) / middle.length;
}

/** What is said of a promise that a ratio is so much at most. */
export type Verdict = 'kept' | 'broken' | 'not decided';

/**
 * Judges by the whole interval: kept where all of it is within the promise, broken where none of it is.
 *
 * @param resolution see {@link resolutionOf}: no interval is taken to be narrower.
 */
export function verdictOf({ ratio, low, high }: Compared, most: number, resolution = 0): Verdict {
  const [from, to] = [Math.min(low, ratio - resolution), Math.max(high, ratio + resolution)];
  if (to <= most) return 'kept';
  return from > most ? 'broken' : 'not decided';
}

/** The smallest difference that can be seen: how far from 1 the interval goes of a configuration that is compared with itself. */
export function resolutionOf({ low, high }: Compared): number {
  return Math.max(Math.abs(1 - low), Math.abs(high - 1));
}

/** A ratio with its interval, for people. */
export function textOf({ ratio, low, high }: Compared): string {
  return Number.isNaN(ratio)
    ? 'too few quiet rounds'
    : `${ratio.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
}
