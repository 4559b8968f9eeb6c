import { bucketStart, FLOW_BUCKETS } from '../telemetry/flow.ts';
import type { Sums } from './slot-ring.ts';
import type { FlowNumbers, FlowState } from './traffic-answers.ts';

const [MANY_ERRORS, MANY_REFUSED, SLOW_MS] = [0.01, 0.1, 1000];

/** How many there were, those that were refused included. */
export function requestsIn({ counts, refused }: Sums): number {
  let all = refused;
  for (let i = 0; i < FLOW_BUCKETS; i += 1) all += counts[i] as number;
  return all;
}

/**
 * Below which time a share of requests was, in ms; null without one. Within a bucket they are taken to be evenly spread, and none
 * is longer than the longest.
 */
export function percentileOf({ counts, maxMs }: Sums, share: number): number | null {
  let all = 0;
  for (let i = 0; i < FLOW_BUCKETS; i += 1) all += counts[i] as number;
  if (all <= 0) return null;
  let before = 0;
  for (let i = 0; i < FLOW_BUCKETS; i += 1) {
    const count = counts[i] as number;
    if (count === 0 || before + count < share * all) {
      before += count;
      continue;
    }
    const start = bucketStart(i);
    const end = i === FLOW_BUCKETS - 1 ? 2 * start : endOf(i);
    const ms = start + (end - start) * Math.min(1, (share * all - before) / count);
    return shown(maxMs > 0 ? Math.min(ms, maxMs) : ms);
  }
  return null;
}

// The bucket behind the first one has no half of its own.
function endOf(bucket: number): number {
  return bucketStart(bucket === 1 ? 3 : bucket + 1);
}

/** A number as it is shown: three digits. */
export function shown(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(3));
}

/** The numbers of a window. @param lastSeenMs since the epoch; undefined for never. */
export function numbersOf(sums: Sums, windowMs: number, lastSeenMs: number | undefined): FlowNumbers {
  const requests = requestsIn(sums);
  const errorRate = requests === 0 ? 0 : shown(sums.errors / requests);
  const refusedRate = requests === 0 ? 0 : shown(sums.refused / requests);
  const p95 = percentileOf(sums, 0.95);
  return {
    rps: shown((requests * 1000) / Math.max(1000, windowMs)),
    errorRate,
    refusedRate,
    p50: percentileOf(sums, 0.5),
    p95,
    p99: percentileOf(sums, 0.99),
    lastSeen: lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString(),
    state: stateOf(requests, errorRate, refusedRate, p95),
  };
}

function stateOf(requests: number, errorRate: number, refusedRate: number, p95: number | null): FlowState {
  if (requests === 0) return 'idle';
  if (errorRate >= MANY_ERRORS) return 'failing';
  if (p95 !== null && p95 >= SLOW_MS) return 'slow';
  return refusedRate >= MANY_REFUSED ? 'refusing' : 'well';
}
