import { bucketAtRank, countOf, durationOf, without, type DurationCounts } from './latency-histogram.ts';
import type { SideCounts, Verdict } from './verdict.ts';

const { ceil, log, max, sqrt } = Math;
const P95 = 0.95;
/** One-sided, of the normal distribution. */
const Z_95 = 1.645;
/** How long a slice lasts at least, in ms: longer than a target is held up at a time. */
const SLICE_MS = 5000;
/** Fewer durations of either side tell no p95; a slice lasts until there are as many. */
const LEAST_DURATIONS = 50;
/** A difference that nobody feels is none. */
const LEAST_DIFFERENCE_MS = 5;
/** Share of the slices in which a canary looks slow by accident, stalls of its own included, and in which a slow one does. */
const GOOD = 0.2;
const SLOW = 0.6;
const WORSE = log(SLOW / GOOD);
const NOT_WORSE = log((1 - SLOW) / (1 - GOOD));
/** Evidence that is enough (Wald): reached by a canary that is as quick from one slice in ten thousand on, at most. */
const FAILS_AT = log(0.95 / 0.0001);
/** From two slices on nobody is called good; a rounding error less. */
const SUSPICIOUS_AT = 2 * WORSE - 1e-9;
const OPEN: Verdict = Object.freeze({ is: 'open' });
const NOTHING: SideCounts = Object.freeze({ attempts: 0, failures: 0, durations: new Map() });

/** What was measured of both sides. */
export interface Sides {
  readonly canary: SideCounts;
  readonly stable: SideCounts;
}

/**
 * Looks whether answers of a canary take longer, slice of time by slice of time, the same slices for both sides: what delays both
 * at once is no difference, and what delays one of them for a moment spoils one slice or two, however many answers it holds up.
 * Slices are counted by a sequential test (Wald): 9 in a row fail a canary, and each in which it is as quick takes back two thirds
 * of one in which it was not. Slices of former steps count as well.
 */
export class LatencySlices {
  #evidence = 0;
  #beganAt: number | undefined = undefined;
  #before: Sides = { canary: NOTHING, stable: NOTHING };

  /** Whether there is something against the canary, so that it is not proven to be good. */
  get isSuspicious(): boolean {
    return this.#evidence >= SUSPICIOUS_AT;
  }

  /** Begins a slice anew, because counts do. */
  restart(): void {
    this.#beganAt = undefined;
    this.#before = { canary: NOTHING, stable: NOTHING };
  }

  /** Whether a slice may be over, by the least that there is to know. @param now in ms. */
  isDue(now: number, canary: number, stable: number): boolean {
    this.#beganAt ??= now;
    const { canary: ours, stable: theirs } = this.#before;
    return (
      now - this.#beganAt >= SLICE_MS &&
      canary - ours.attempts >= LEAST_DURATIONS &&
      stable - theirs.attempts >= LEAST_DURATIONS
    );
  }

  /** Fails a canary that is slower; never passes one. Asked when it {@link isDue}. @param now in ms. */
  judge(sides: Sides, ratio: number, now: number): Verdict {
    const { canary, stable } = this.#before;
    const ours = without(sides.canary.durations, canary.durations);
    const theirs = without(sides.stable.durations, stable.durations);
    if (countOf(ours) < LEAST_DURATIONS || countOf(theirs) < LEAST_DURATIONS) return OPEN;
    this.#beganAt = now;
    this.#before = sides;
    const reason = slower(ours, theirs, ratio);
    this.#evidence = max(0, this.#evidence + (reason === undefined ? NOT_WORSE : WORSE));
    return reason !== undefined && this.#evidence >= FAILS_AT ? { is: 'fail', reason } : OPEN;
  }
}

/** Whether a canary takes longer in one slice: its p95 does, and that is no chance; undefined: no. */
export function slower(canary: DurationCounts, stable: DurationCounts, ratio: number): string | undefined {
  const [ours, theirs] = [p95Of(canary), p95Of(stable)];
  if (ours < theirs * ratio || ours - theirs < LEAST_DIFFERENCE_MS) return undefined;
  // All ranks rather than the few in the tail: a p95 of 50 answers is two or three of them.
  if (rankSum(canary, stable) < Z_95) return undefined;
  return `p95: ${ours.toFixed(1)} ms, of stable ${theirs.toFixed(1)} ms, and slice by slice`;
}

function p95Of(counts: DurationCounts): number {
  return durationOf(bucketAtRank(counts, ceil(countOf(counts) * P95)));
}

/** How far the ranks of one side are above those of the other, in standard deviations (Mann and Whitney, with ties). */
export function rankSum(one: DurationCounts, other: DurationCounts): number {
  const [n, m] = [countOf(one), countOf(other)];
  const all = n + m;
  let [below, above, ties] = [0, 0, 0];
  for (const bucket of [...new Set([...one.keys(), ...other.keys()])].sort((a, b) => a - b)) {
    const [ours, theirs] = [one.get(bucket) ?? 0, other.get(bucket) ?? 0];
    above += ours * (below + theirs / 2);
    below += theirs;
    ties += (ours + theirs) ** 3 - (ours + theirs);
  }
  const variance = ((n * m) / 12) * (all + 1 - ties / (all * (all - 1)));
  return variance > 0 ? (above - (n * m) / 2) / sqrt(variance) : 0;
}
