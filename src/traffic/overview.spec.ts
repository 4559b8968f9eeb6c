import { beforeEach, describe, expect, it } from '@jest/globals';
import { compileRoutes, createCompiler, snapshotsOf } from '../../test/support/routes.ts';
import { FAILED, REFUSED, WELL } from '../telemetry/flow.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Overview } from './overview.ts';
import { Traffic } from './traffic.ts';

describe(Overview, () => {
  let metrics: Metrics;
  let overview: Overview;
  let traffic: Traffic;

  beforeEach(() => {
    metrics = new Metrics();
    traffic = new Traffic(metrics);
    const all = Array.from({ length: 30 }, (_, i) => ({
      id: `r${i}`,
      path: `/api/r${i}`,
      upstream: 'users',
    }));
    const { snapshots, reloads } = snapshotsOf(compileRoutes(all, createCompiler([], { metrics })));
    overview = new Overview({ traffic, metrics, snapshots, reloads });
  });

  // As the first request of a route makes it.
  const flow = (id: string) => (metrics.forRoute(id).flow ??= metrics.flows.of('route', id));

  it('lists the ten worst of each kind, the worst first, and none that is well in that', async () => {
    for (let i = 0; i < 30; i += 1) {
      flow(`r${i}`).count(10 + i, WELL);
      if (i < 12) for (let j = 0; j <= i; j += 1) flow(`r${i}`).count(1, FAILED);
      if (i > 26) flow(`r${i}`).count(0, REFUSED);
    }
    const { worst, routes, totals } = await overview.whole();
    expect(worst.slow).toHaveLength(10);
    expect(worst.failing.map(({ id }) => id)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((i) => `r${i}`));
    expect(worst.refused.map(({ id }) => id)).toEqual(['r27', 'r28', 'r29']);
    expect([routes, totals.state]).toEqual([30, 'failing']);
  });

  it('shows nobody among the worst while nobody calls', async () => {
    const { worst, totals } = await overview.whole();
    expect([worst, totals.state, totals.rps]).toEqual([{ slow: [], failing: [], refused: [] }, 'idle', 0]);
  });

  it('has a row for a route whether it is asked or not, the same as in the list', async () => {
    expect(await overview.route('nobody', '10m')).toBeUndefined();
    expect((await overview.route('r3', '10m'))?.row).toMatchObject({
      id: 'r3',
      state: 'idle',
      lastSeen: null,
    });
    flow('r3').count(40, FAILED);
    const answer = await overview.route('r3', '10m');
    expect(answer?.row).toMatchObject({ state: 'failing', errorRate: 1 });
    const { rows } = await overview.rows.list({ q: 'r3', from: 0, limit: 10 });
    expect(rows.find(({ id }) => id === 'r3')?.state).toBe('failing');
    expect(answer?.series.requests.at(-1)).toBe(1);
  });

  it('adds up why a route refuses, over both times that are counted, the commonest first', async () => {
    flow('r1').count(0, REFUSED);
    flow('r1').say('limit rate-limited');
    flow('r1').say('authorize permission-denied');
    flow('r1').codesBefore = new Map([['authorize permission-denied', 4]]);
    expect((await overview.route('r1', '10m'))?.refusals).toEqual([
      { stage: 'authorize', code: 'permission-denied', count: 5 },
      { stage: 'limit', code: 'rate-limited', count: 1 },
    ]);
  });

  it('knows which routes may ask an upstream', async () => {
    flow('r7').count(5, WELL);
    const asking = await overview.rows.asking('users');
    expect(asking).toHaveLength(0);
    expect(await overview.upstream('nobody', '10m')).toBeUndefined();
  });

  it('makes the row of a route that nobody asks for once', async () => {
    const rowOf = async (id: string): Promise<unknown> =>
      (await overview.rows.list({ q: id, from: 0, limit: 1 })).rows[0];
    const before = await rowOf('r20');
    const grouped = await overview.rows.list({ grouped: true, from: 0, limit: 50 });
    expect(grouped.rows.map(({ group, members }) => [group, members])).toContainEqual(['/api/r20', 1]);
    expect(await overview.rows.row('r20')).toBe(before);
    flow('r20').count(5, WELL);
    expect(await overview.rows.row('r20')).toMatchObject({ state: 'well' });
  });
});
