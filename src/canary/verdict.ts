import {
  bucketAtRank,
  countAbove,
  countOf,
  durationOf,
  without,
  type DurationCounts,
} from './latency-histogram.ts';

/** What was measured of one side during one step: attempts at its targets, not requests. */
export interface SideCounts {
  readonly attempts: number;
  readonly failures: number;
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
/** One-sided, of the normal distribution: 95 % and 99 %. */
const Z_95 = 1.645;
const Z_99 = 2.326;
/** The share of answers that take longer than p95. */
const TAIL = 0.05;
/** Fewer durations tell no p95. */
const LEAST_DURATIONS = 50;
/** A difference that nobody feels is none. */
const LEAST_DIFFERENCE_MS = 5;
/** How much later the same has to be found again, in ms: longer than a process is held up once. */
const SUSPICION_MS = 5000;
/** How often durations are looked at: at 50 of them, 100, 200 and so on. */
const LOOKS = 12;
const OPEN: Verdict = Object.freeze({ is: 'open' });
const PASS: Verdict = Object.freeze({ is: 'pass' });

/**
 * Compares the error rate of a canary with that of the stable side in the same time: a sequential probability ratio test
 * (Wald), which may be asked after every attempt. Against p0, the upper bound of what the stable side may be at, stands
 * p1 = max(p0 + tolerance, 2·p0).
 */
export function judgeErrors(canary: SideCounts, stable: SideCounts, tolerance: Tolerance): Verdict {
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
function upperBound({ attempts: n, failures }: SideCounts): number {
  if (n === 0) return 1;
  const rate = failures / n;
  const square = Z_95 ** 2;
  const center = rate + square / (2 * n);
  const spread = Z_95 * Math.sqrt((rate * (1 - rate)) / n + square / (4 * n * n));
  return (center + spread) / (1 + square / n);
}

/** What was measured when a canary looked slow. */
interface Suspicion {
  readonly at: number;
  readonly canary: DurationCounts;
  readonly stable: DurationCounts;
}

/**
 * Looks whether answers of a canary take longer: a sign test against the p95 of the stable side, at looks that double. What it
 * finds is a suspicion, until what is measured from then on says the same: a target that stalls once delays all that it has at that
 * moment, which is one accident and no more, though it looks like many slow answers.
 */
export class LatencyLooks {
  #next = LEAST_DURATIONS;
  #suspicion: Suspicion | undefined = undefined;

  /** Whether it waits for more, so that nothing should go on by itself. */
  get isSuspicious(): boolean {
    return this.#suspicion !== undefined;
  }

  /** Begins anew, for another step. */
  reset(): void {
    this.#next = LEAST_DURATIONS;
    this.#suspicion = undefined;
  }

  /** Fails a canary that is slower, once there is enough to look at; never passes one. @param now in ms. */
  judge(canary: SideCounts, stable: SideCounts, ratio: number, now: number): Verdict {
    const suspicion = this.#suspicion;
    if (suspicion !== undefined)
      return now - suspicion.at < SUSPICION_MS ? OPEN : this.#confirm(suspicion, canary, stable, ratio);
    const n = countOf(canary.durations);
    if (n < this.#next || countOf(stable.durations) < LEAST_DURATIONS) return OPEN;
    while (this.#next <= n) this.#next *= 2;
    if (judgeDurations(canary.durations, stable.durations, ratio).is === 'fail')
      this.#suspicion = { at: now, canary: new Map(canary.durations), stable: new Map(stable.durations) };
    return OPEN;
  }

  #confirm(before: Suspicion, canary: SideCounts, stable: SideCounts, ratio: number): Verdict {
    const [ours, theirs] = [
      without(canary.durations, before.canary),
      without(stable.durations, before.stable),
    ];
    if (countOf(ours) < LEAST_DURATIONS || countOf(theirs) < LEAST_DURATIONS) return OPEN;
    this.#suspicion = undefined;
    if (judgeDurations(ours, theirs, ratio).is === 'open') return OPEN;
    return judgeDurations(canary.durations, stable.durations, ratio);
  }
}

/** One look at durations. */
export function judgeDurations(canary: DurationCounts, stable: DurationCounts, ratio: number): Verdict {
  const n = countOf(canary);
  const all = countOf(stable);
  // By ranks: the upper 99 % bound of where the p95 of the stable side may be.
  const rank = Math.ceil(all * (1 - TAIL) + Z_99 * Math.sqrt(all * TAIL * (1 - TAIL)));
  const bound = bucketAtRank(stable, Math.min(all, rank));
  const above = countAbove(canary, bound);
  if (above === 0 || binomialTail(above, n, TAIL) > ALPHA / LOOKS) return OPEN;
  const ours = durationOf(bucketAtRank(canary, Math.ceil(n * (1 - TAIL))));
  const theirs = durationOf(bucketAtRank(stable, Math.ceil(all * (1 - TAIL))));
  if (ours < theirs * ratio || ours - theirs < LEAST_DIFFERENCE_MS) return OPEN;
  return { is: 'fail', reason: `p95: ${ours.toFixed(1)} ms, of stable ${theirs.toFixed(1)} ms` };
}

/** The chance of at least k out of n that happen with probability p. */
export function binomialTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  // By the shorter side: from the term at k on they shrink fast beyond the mean.
  let term = Math.exp(logChoose(n, k) + k * Math.log(p) + (n - k) * Math.log(1 - p));
  if (k <= n * p) return 1;
  let sum = 0;
  for (let i = k; i <= n && term > 1e-18; i += 1) {
    sum += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

function logFactorial(n: number): number {
  if (n < 20) {
    let product = 1;
    for (let i = 2; i <= n; i += 1) product *= i;
    return Math.log(product);
  }
  // Stirling's series; its next term is below 1e-7 from 20 on.
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3);
}
