import type { DurationCounts } from './latency-histogram.ts';

/** How many attempts at targets of one side there were during one step; not requests. */
export interface ErrorCounts {
  readonly attempts: number;
  readonly failures: number;
}

/** What was measured of one side during one step. */
export interface SideCounts extends ErrorCounts {
  readonly durations: DurationCounts;
}

/** How much worse a canary may be. */
export interface Tolerance {
  /** Share of attempts that may fail on top of what fails at the stable side. */
  readonly errors: number;
  /** How many times as long its p95 may be; undefined: that is not looked at. */
  readonly p95: number | undefined;
}

/** What the numbers say; `open` is no verdict. */
export interface Verdict {
  readonly is: 'pass' | 'fail' | 'open';
  /** Of a failure, for people. */
  readonly reason?: string;
}

/** Chances to be wrong: to fail a good canary, and to pass a bad one. */
const ALPHA = 0.001;
const BETA = 0.05;
const FAILS_AT = Math.log((1 - BETA) / ALPHA);
const PASSES_AT = Math.log(BETA / (1 - ALPHA));
/** Nothing is said to be more reliable than this, however little has failed. */
const LEAST_ERROR_RATE = 0.001;
const MOST_ERROR_RATE = 0.5;
/** One-sided, of the normal distribution: 95 %. */
const Z_95 = 1.645;
const OPEN: Verdict = Object.freeze({ is: 'open' });
const PASS: Verdict = Object.freeze({ is: 'pass' });

/**
 * Compares the error rate of a canary with that of the stable side in the same time: a sequential probability ratio test
 * (Wald), which may be asked after every attempt. Against p0, the upper bound of what the stable side may be at, stands
 * p1 = max(p0 + tolerance, 2·p0).
 */
export function judgeErrors(canary: ErrorCounts, stable: ErrorCounts, tolerance: Tolerance): Verdict {
  const p0 = Math.min(MOST_ERROR_RATE, Math.max(LEAST_ERROR_RATE, upperBound(stable)));
  const p1 = Math.min(0.95, Math.max(p0 + tolerance.errors, 2 * p0));
  const { attempts, failures } = canary;
  const evidence = failures * Math.log(p1 / p0) + (attempts - failures) * Math.log((1 - p1) / (1 - p0));
  if (evidence <= PASSES_AT) return PASS;
  if (evidence < FAILS_AT) return OPEN;
  const [ours, theirs] = [canary, stable].map(({ failures: bad, attempts: all }) => `${bad} of ${all}`);
  return { is: 'fail', reason: `errors: ${ours ?? ''} attempts failed, of stable ${theirs ?? ''}` };
}

/** Upper end of the interval of a failure rate, at 95 % (Wilson). */
function upperBound({ attempts: n, failures }: ErrorCounts): number {
  if (n === 0) return 1;
  const rate = failures / n;
  const square = Z_95 ** 2;
  const center = rate + square / (2 * n);
  const spread = Z_95 * Math.sqrt((rate * (1 - rate)) / n + square / (4 * n * n));
  return (center + spread) / (1 + square / n);
}
