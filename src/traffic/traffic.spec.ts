import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { KEPT_OF_ROUTE_A_SECOND, WATCHED_A_SECOND } from './keep-budget.ts';
import { Traffic } from './traffic.ts';

describe('Traffic', () => {
  it('watches a few exchanges of each second', () => {
    const traffic = new Traffic(new Metrics());
    const watched = (): number =>
      Array.from({ length: 100 }, () => traffic.watch({ headers: {} })).filter(Boolean).length;
    expect(watched()).toBe(WATCHED_A_SECOND);
    expect(watched()).toBe(0);
    traffic.tick();
    expect(watched()).toBe(WATCHED_A_SECOND);
  });

  it('keeps a few refusals of a flood, makes no line of the others, and counts them', () => {
    const metrics = new Metrics();
    const traffic = new Traffic(metrics);
    const flow = metrics.flows.of('route', '(none)');
    let lines = 0;
    for (let i = 0; i < 1000; i += 1) {
      const exchange = createExchange();
      exchange.problem = new Problem('rate-limited');
      const line = (): string => `line ${(lines += 1)}`;
      traffic.note({ exchange, durationMs: 1, notes: undefined, line }, flow, 'refused');
    }
    expect([traffic.kept.size, lines, traffic.kept.skipped]).toEqual([
      KEPT_OF_ROUTE_A_SECOND,
      KEPT_OF_ROUTE_A_SECOND,
      1000 - KEPT_OF_ROUTE_A_SECOND,
    ]);
  });

  it('counts the callers of a busy second by one in sixteen, and comes to the same', () => {
    const traffic = new Traffic(new Metrics());
    for (let i = 0; i < 16_000; i += 1) traffic.called(createExchange(), i % 2 === 0 ? 'refused' : 'well');
    const [one] = traffic.clients.all();
    expect(one?.requests).toBeGreaterThan(15_900);
    expect(one?.requests).toBeLessThan(16_100);
  });
});
