import { expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';

it('counts tokens by what became of them, times only those that somebody was asked for, and forgets upstreams', async () => {
  const metrics = new Metrics();
  metrics.tokenExchanges.ended('ledger', 'exchanged', 0.02);
  metrics.tokenExchanges.ended('ledger', 'spared');
  const shown = async () => {
    const values = await Promise.all(
      ['gatehouse_token_exchanges_total', 'gatehouse_token_exchange_duration_seconds'].map(async (name) =>
        (await metrics.registry.getSingleMetric(name)?.get())?.values.map(({ labels, value }) => [
          labels['outcome'] ?? labels['le'] ?? '',
          value,
        ]),
      ),
    );
    return values;
  };
  expect(await shown()).toEqual([
    [
      ['exchanged', 1],
      ['spared', 1],
    ],
    expect.arrayContaining([
      [0.01, 0],
      [0.025, 1],
      ['+Inf', 1],
    ]),
  ]);
  metrics.forgetUpstreams(new Set(['ledger']));
  expect(await shown()).toEqual([[], []]);
});
