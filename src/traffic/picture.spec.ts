import { beforeEach, describe, expect, it } from '@jest/globals';
import { compileRoutes, createCompiler, snapshotsOf } from '../../test/support/routes.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Overview } from './overview.ts';
import { MOST_BOXES, worseFirst } from './picture.ts';
import { Traffic } from './traffic.ts';

describe('Picture', () => {
  const compiler = createCompiler();
  let metrics: Metrics;

  beforeEach(() => {
    metrics = new Metrics();
  });

  function overviewOf(count: number, prefixes = count): Overview {
    const all = Array.from({ length: count }, (_, i) => ({
      id: `r${i}`,
      path: `/api/p${i % prefixes}/${i}`,
    }));
    const { snapshots, reloads } = snapshotsOf(compileRoutes(all, compiler));
    return new Overview({ traffic: new Traffic(metrics), metrics, snapshots, reloads });
  }

  it('shows every route while they fit', async () => {
    const { of, routes } = await overviewOf(MOST_BOXES).picture.draw();
    expect([of, routes.length]).toEqual(['routes', MOST_BOXES]);
  });

  it('shows prefixes of more of them, the last box for all that have no place', async () => {
    const { of, routes } = await overviewOf(200, 100).picture.draw();
    expect([of, routes.length]).toEqual(['groups', MOST_BOXES]);
    expect(routes.at(-1)).toMatchObject({ id: 'g:…more', label: '61 more', members: 122 });
    expect(routes.reduce((sum, { members = 0 }) => sum + members, 0)).toBe(200);
  });

  it('shows the worst dozen of more than a thousand, and of a selection what it has to do with', async () => {
    const overview = overviewOf(1500, 100);
    const whole = await overview.picture.draw();
    expect([whole.of, whole.routes.length]).toEqual(['search', 12]);
    const group = await overview.picture.draw('g:/api/p7');
    expect([group.of, group.routes.length]).toEqual(['routes', 15]);
    expect((await overview.picture.draw('r:r42')).routes.map(({ id }) => id)).toEqual(['r:r42']);
    expect((await overview.picture.draw('u:nobody')).routes).toEqual([]);
  });

  it('puts what is worse first, and of equals what is asked for more', () => {
    const rows = [
      { rps: 9, state: 'well' },
      { rps: 1, state: 'slow' },
      { rps: 2, state: 'failing' },
      { rps: 5, state: 'slow' },
      { rps: 0, state: 'idle' },
    ] as const;
    expect(rows.toSorted(worseFirst).map(({ rps }) => rps)).toEqual([2, 5, 1, 9, 0]);
  });
});
