import { LabelCounter } from '../telemetry/label-counter.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CacheCounts } from './traffic-answers.ts';

const COUNTER = 'gatehouse_cache_requests_total';
const RESULTS = ['hit', 'shared', 'stale', 'collapsed', 'miss', 'validated', 'bypass'] as const;

/** What became of requests of a route at its cache since the process began; undefined where none has met one. */
export function cacheCountsOf(
  { registry }: Pick<Metrics, 'registry'>,
  route: string,
): CacheCounts | undefined {
  // Without caches nobody has registered it.
  const counter: unknown = registry.getSingleMetric(COUNTER);
  if (!(counter instanceof LabelCounter)) return undefined;
  const counts = Object.fromEntries(RESULTS.map((result) => [result, counter.valueOf(route, result)]));
  return Object.values(counts).some((count) => count > 0) ? (counts as unknown as CacheCounts) : undefined;
}
