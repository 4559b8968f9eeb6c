import type { PassiveOptions } from './health.schema.ts';

/** What one target did in an interval. */
export interface Tally {
  readonly calls: number;
  readonly failures: number;
  /** Time to the first byte of all good answers together, in ms. */
  readonly waitedMs: number;
}

/** Statistics of fewer targets say nothing: with 4, one bad one cannot be 1.9 standard deviations away. */
export const FEWEST_COMPARED = 5;

/** By how much a slow target has to be slower than the others at least, in ms: among the very fast, three times is noise. */
export const LEAST_SLOWER_MS = 20;

/** What ejects a target at the end of an interval. */
export type OutlierReason = 'error rate' | 'outlier' | 'latency';

/**
 * Judges one interval.
 *
 * @returns of each target why it is to be ejected, or undefined; in the order of the tallies.
 */
export function outliersOf(
  tallies: readonly Tally[],
  options: PassiveOptions,
): readonly (OutlierReason | undefined)[] {
  const counted = tallies.filter(({ calls }) => calls >= options.minimumCalls);
  const leastRate = leastRateOf(counted, options);
  const mostMs = mostMsOf(counted, options);
  return tallies.map((tally) => {
    if (tally.calls < options.minimumCalls) return undefined;
    if (options.errorRate !== 'off' && tally.failures / tally.calls >= options.errorRate) return 'error rate';
    if (successRate(tally) < leastRate) return 'outlier';
    return meanMs(tally) > mostMs ? 'latency' : undefined;
  });
}

// Mean less a multiple of the standard deviation (Envoy's success_rate_stdev_factor).
function leastRateOf(counted: readonly Tally[], { outliers }: PassiveOptions): number {
  if (outliers === 'off' || counted.length < FEWEST_COMPARED) return -Infinity;
  const rates = counted.map(successRate);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - outliers * Math.sqrt(variance);
}

// Of the median and not of the mean, which the slow one itself would draw along.
function mostMsOf(counted: readonly Tally[], { latency }: PassiveOptions): number {
  if (latency === undefined || counted.length < FEWEST_COMPARED) return Infinity;
  const means = counted.map(meanMs).sort((a, b) => a - b);
  const middle = means.length / 2;
  const median = ((means[Math.ceil(middle) - 1] as number) + (means[Math.floor(middle)] as number)) / 2;
  return Math.max(median * latency, median + LEAST_SLOWER_MS);
}

function successRate({ calls, failures }: Tally): number {
  return 1 - failures / calls;
}

function meanMs({ calls, failures, waitedMs }: Tally): number {
  return calls === failures ? 0 : waitedMs / (calls - failures);
}
