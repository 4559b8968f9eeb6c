/** Each bucket is 5 % wider than the one before. */
// A name of the module is found faster than a global.
const { ceil, log, min } = Math;
const GROWTH = log(1.05);
const SMALLEST_MS = 0.1;
/** Up to a minute, and one for all that is longer. */
const BUCKETS = ceil(log(60_000 / SMALLEST_MS) / GROWTH) + 1;

/** Durations by bucket: a sparse map of counts. */
export type DurationCounts = Map<number, number>;

/** The bucket of a duration. */
export function durationBucket(ms: number): number {
  if (ms <= SMALLEST_MS) return 0;
  return min(BUCKETS - 1, ceil(log(ms / SMALLEST_MS) / GROWTH));
}

/** The longest duration of a bucket, in ms. */
export function durationOf(bucket: number): number {
  return SMALLEST_MS * Math.exp(bucket * GROWTH);
}

/** Whether a number is that of a bucket; what comes from elsewhere may be any. */
export function isBucket(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < BUCKETS;
}

/** The bucket of the duration that stands at a rank among all, counted from 1. */
export function bucketAtRank(counts: DurationCounts, rank: number): number {
  let seen = 0;
  const buckets = [...counts.keys()].sort((a, b) => a - b);
  for (const bucket of buckets) {
    seen += counts.get(bucket) ?? 0;
    if (seen >= rank) return bucket;
  }
  return buckets.at(-1) ?? 0;
}

/** What has come since an earlier state of the same counts. */
export function without(counts: DurationCounts, before: DurationCounts): DurationCounts {
  const since: DurationCounts = new Map();
  for (const [bucket, count] of counts) {
    const more = count - (before.get(bucket) ?? 0);
    if (more > 0) since.set(bucket, more);
  }
  return since;
}

/** How many there are. */
export function countOf(counts: DurationCounts): number {
  let all = 0;
  for (const count of counts.values()) all += count;
  return all;
}
