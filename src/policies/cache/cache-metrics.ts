import { Gauge } from 'prom-client';
import { LabelCounter } from '../../telemetry/label-counter.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
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
    new Gauge({
      name: 'gatehouse_cache_bytes',
      help: 'Bytes of the stored answers of this process.',
      registers: [registry],
      collect() {
        this.set(store.usage.bytes);
      },
    });
  }

  /** Counts a request. */
  count(route: string, result: CacheResult): void {
    this.#requests.count(route, result);
  }
}
