import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { compileRoutes, createCompiler, snapshotsOf } from '../../test/support/routes.ts';
import { WELL } from '../telemetry/flow.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { RouteRows } from './route-rows.ts';
import { Traffic } from './traffic.ts';

afterEach(() => void jest.restoreAllMocks());

/** The rows of so many routes, of which some are busy, and a clock that is moved by hand. */
function rowsOf(count: number, busy: number) {
  const metrics = new Metrics();
  const { history } = new Traffic(metrics);
  const all = Array.from({ length: count }, (_, i) => ({ id: `r${i}`, path: `/r${i}`, upstream: 'users' }));
  const { snapshots } = snapshotsOf(compileRoutes(all, createCompiler([], { metrics })));
  for (let i = 0; i < busy; i += 1)
    (metrics.forRoute(`r${i}`).flow ??= metrics.flows.of('route', `r${i}`)).count(10, WELL);
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  return { rows: new RouteRows(snapshots, metrics, history), after: (ms: number) => void (now += ms) };
}

describe('the table of routes', () => {
  it('is made once a second, whoever asks', async () => {
    const { rows, after } = rowsOf(10, 10);
    const first = await rows.table();
    after(800);
    expect(await rows.table()).toBe(first);
    after(200);
    const second = await rows.table();
    expect(second).not.toBe(first);
    expect([second.busy, second.rows.length]).toEqual([10, 11]);
  });

  it('is made less often the more routes are busy, and not for those that are idle', async () => {
    const { rows, after } = rowsOf(4000, 3000);
    const first = await rows.table();
    expect(first.busy).toBe(3000);
    after(2000);
    expect(await rows.table()).toBe(first);
    after(200);
    expect(await rows.table()).not.toBe(first);
    const idle = rowsOf(4000, 5);
    const before = await idle.rows.table();
    idle.after(1000);
    expect(await idle.rows.table()).not.toBe(before);
  });
});
