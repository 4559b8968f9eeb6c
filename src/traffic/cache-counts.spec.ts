import { describe, expect, it } from '@jest/globals';
import { LabelCounter } from '../telemetry/label-counter.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { cacheCountsOf } from './cache-counts.ts';

describe(cacheCountsOf, () => {
  it('tells what became of requests of one route, and nothing where no request has met a cache', () => {
    const metrics = new Metrics();
    expect(cacheCountsOf(metrics, 'users')).toBeUndefined();
    const options = { name: 'gatehouse_cache_requests_total', help: 'x', labels: ['route', 'result'] };
    const counter = new LabelCounter(options, metrics.registry);
    counter.count('users', 'hit', '', 3);
    counter.count('users', 'miss');
    counter.count('orders', 'hit');
    expect(cacheCountsOf(metrics, 'users')).toMatchObject({ hit: 3, miss: 1, stale: 0, bypass: 0 });
    expect(cacheCountsOf(metrics, 'feed')).toBeUndefined();
    expect(counter.get().values).toHaveLength(3);
  });
});
