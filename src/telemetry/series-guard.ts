import type { Registry } from 'prom-client';
import type { MetricFamily, MetricValue, SlicedMetric } from './metric-family.ts';

/** How many lines of a scrape one metric may have, unless `METRICS_MAX_SERIES` says otherwise. */
export const MOST_SERIES = 20_000;
/** What labels say of those that have no series of their own. */
export const OTHER = 'other';
/** How many series there may be of what is counted together: its other labels have a few values each. */
export const MOST_FOLDED = 500;

const guards = new WeakMap<Registry, SeriesGuard>();

/** The guard of the metrics of a registry. */
export function guardOf(registry: Registry): SeriesGuard {
  let guard = guards.get(registry);
  if (guard === undefined) guards.set(registry, (guard = new SeriesGuard(registry)));
  return guard;
}

/**
 * Bounds what a metric may have of series, and counts what it had no room for: that shares series with the label `other`, so
 * that sums stay right. Counters of it are there as soon as a metric is, at 0.
 */
export class SeriesGuard implements SlicedMetric {
  readonly name = 'gatehouse_metrics_folded_total';
  readonly help =
    'Observations without a series of their own, because their metric has as many as it may: they have the label `other`.';
  readonly type = 'counter';
  readonly labelNames = ['metric'];
  readonly #folded = new Map<string, number>();
  /** How many lines each metric may have. */
  most = MOST_SERIES;

  constructor(registry: Registry) {
    registry.registerMetric(this as never);
  }

  /** Shows a metric that is bounded. */
  watch(metric: string): void {
    this.#folded.set(metric, 0);
  }

  /** Counts observations that were folded. */
  folded(metric: string, count = 1): void {
    this.#folded.set(metric, (this.#folded.get(metric) ?? 0) + count);
  }

  slices(): Iterable<readonly MetricValue[]> {
    return [[...this.#folded].map(([metric, value]) => ({ labels: { metric }, value }))];
  }

  get(): MetricFamily {
    return familyOf(this);
  }
}

/** All series of a metric at once. */
export function familyOf(metric: SlicedMetric): MetricFamily & { readonly aggregator: 'sum' } {
  const { name, help, type } = metric;
  return { name, help, type, values: [...metric.slices()].flat(), aggregator: 'sum' };
}
