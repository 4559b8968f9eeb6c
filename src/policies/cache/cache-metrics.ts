import { LabelCounter } from '../../telemetry/label-counter.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { ReadGauge } from '../../telemetry/read-gauge.ts';
import type { AnswerStore } from './answer-store.ts';

/** What became of a request at the cache. */
export type CacheResult = 'hit' | 'shared' | 'stale' | 'collapsed' | 'miss' | 'validated' | 'bypass';

/** What the caches of routes did, and how full the store is. */
export class CacheMetrics {
  readonly #requests: LabelCounter;

  constructor(metrics: Metrics, store: AnswerStore) {
    const { registry } = metrics;
    this.#requests = new LabelCounter(
      {
        name: 'gatehouse_cache_requests_total',
        help: 'Requests of routes with a cache, by what became of them: hit, shared (found in Redis), stale, collapsed, miss, validated, bypass.',
        labels: ['route', 'result'],
      },
      registry,
    );
    metrics.onRoutesForgotten((ids) => this.#requests.forget(ids));
    const gauge = (name: string, help: string, read: () => number): ReadGauge =>
      new ReadGauge({ name: `gatehouse_cache_${name}`, help }, registry, (show) => show(read()));
    gauge('bytes', 'Bytes of the stored answers of this process.', () => store.usage.bytes);
    gauge('keys', 'Keys of which this process has stored answers.', () => store.usage.keys);
    const evictions = new LabelCounter(
      {
        name: 'gatehouse_cache_evictions_total',
        help: 'Keys that were given up by this process, because there was no room.',
        labels: [],
      },
      registry,
    ).tally();
    store.onEvicted = () => evictions.add();
  }

  /** Counts a request. */
  count(route: string, result: CacheResult): void {
    this.#requests.count(route, result);
  }
}
