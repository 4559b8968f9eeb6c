import { beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { OverloadMetrics } from './overload-metrics.ts';

let registry: Registry;
let metrics: OverloadMetrics;
beforeEach(() => {
  registry = new Registry();
  metrics = new OverloadMetrics(registry);
});

const lines = async (start: string): Promise<readonly string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(start));

describe('metrics of overload', () => {
  it('count refusals, until their route is gone', async () => {
    metrics.refused('a', 'load-shed', 'batch');
    expect(await lines('gatehouse_overload_refusals_total')).toEqual([
      'gatehouse_overload_refusals_total{route="a",code="load-shed",by="batch"} 1',
    ]);
    metrics.forget(new Set(['a']));
    expect(await lines('gatehouse_overload_refusals_total')).toEqual([]);
  });

  it('show what is limited, and nothing of what nobody limits', async () => {
    expect(await lines('gatehouse_concurrency')).toEqual([]);
    metrics.showCaps(() => []);
    expect(await lines('gatehouse_upstream_in_flight')).toEqual([]);
    metrics.showSlots(() => [{ route: 'a', key: 'k', inFlight: 2, waiting: 1 }]);
    metrics.showCaps(() => [{ upstream: 'u', inFlight: 3, most: 5 }]);
    expect(await lines('gatehouse_concurrency')).toEqual([
      'gatehouse_concurrency_in_flight{route="a",key="k"} 2',
      'gatehouse_concurrency_queued{route="a",key="k"} 1',
    ]);
    expect(await lines('gatehouse_upstream_in_flight')).toEqual([
      'gatehouse_upstream_in_flight{upstream="u"} 3',
      'gatehouse_upstream_in_flight_limit{upstream="u"} 5',
    ]);
  });

  it('show what is shown last, each once, after another configuration', async () => {
    for (const value of [1, 2]) {
      metrics.showSlots(() => [{ route: 'a', key: 'k', inFlight: value, waiting: 0 }]);
      metrics.showLoad(() => ({ level: value / 10, pressures: { loop: value } }));
    }
    expect(await lines('gatehouse_concurrency_in_flight')).toEqual(['gatehouse_concurrency_in_flight{route="a",key="k"} 2']);
    expect(await lines('gatehouse_load')).toEqual(['gatehouse_load_shedding_level 0.2', 'gatehouse_load_pressure{sensor="loop"} 2']);
  }); // prettier-ignore

  it('show adaptive limits as long as their targets are there', async () => {
    const gone = metrics.limitMade({ upstream: 'u', host: 'a:1', limit: { value: 9, waiting: 4 } });
    metrics.limitMade({ upstream: 'u', host: 'b:1', limit: { value: 8, waiting: 0 } });
    gone();
    expect(await lines('gatehouse_target_concurrency')).toEqual([
      'gatehouse_target_concurrency_limit{upstream="u",target="b:1"} 8',
      'gatehouse_target_concurrency_in_flight{upstream="u",target="b:1"} 0',
    ]);
  });
});
