import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Unknown } from '../upstreams/discovery/discovery-source.ts';
import { Absence } from './absence.ts';
import { FollowedTestCluster } from './test-cluster.fixture.ts';

const ROUTES = { api: 'gateway.networking.k8s.io/v1', plural: 'httproutes' };
const { signal } = new AbortController();

describe('Absence', () => {
  let world: FollowedTestCluster;
  const absenceOf = (kind: typeof ROUTES, afterMs = 0): Absence =>
    new Absence({ api: world.api, kind, afterMs });

  beforeEach(async () => {
    world = await FollowedTestCluster.start();
  });

  afterEach(() => world.stop());

  it('is contradicted by a discovery that names the kind, and by that of the core', async () => {
    expect(await absenceOf(ROUTES).look(false, signal)).toBe('contradicted');
    expect(await absenceOf({ api: 'v1', plural: 'services' }).look(false, signal)).toBe('contradicted');
  });

  it('holds at once for a kind that was never served', async () => {
    world.cluster.absent.add('httproutes');
    expect(await absenceOf(ROUTES).look(false, signal)).toBe('gone');
    const none = { api: 'none.example/v1', plural: 'things' };
    expect(await absenceOf(none).look(false, signal)).toBe('gone');
  });

  it('has to be said four times in a row of a kind that was', async () => {
    world.cluster.absent.add('httproutes');
    const absence = absenceOf(ROUTES);
    const said: string[] = [];
    for (let look = 0; look < 3; look += 1) said.push(await absence.look(true, signal));
    world.cluster.absent.clear();
    said.push(await absence.look(true, signal));
    world.cluster.absent.add('httproutes');
    for (let look = 0; look < 4; look += 1) said.push(await absence.look(true, signal));
    expect(said).toEqual([
      'unsure',
      'unsure',
      'unsure',
      'contradicted',
      'unsure',
      'unsure',
      'unsure',
      'gone',
    ]);
  });

  it('has to be said for as long as is asked for', async () => {
    world.cluster.absent.add('httproutes');
    const absence = absenceOf(ROUTES, 200);
    for (let look = 0; look < 5; look += 1) expect(await absence.look(true, signal)).toBe('unsure');
    await sleep(210);
    expect(await absence.look(true, signal)).toBe('gone');
    expect(absence.gapMs).toBeCloseTo(200 / 3);
    expect(absenceOf(ROUTES, 3_600_000).gapMs).toBe(15_000);
  });

  it('is not known where the group is named, and its kinds are not answered', async () => {
    world.cluster.instead = (path) => (path === '/apis/gateway.networking.k8s.io/v1' ? 404 : undefined);
    expect(await absenceOf(ROUTES).look(true, signal)).toBe('contradicted');
    world.cluster.instead = () => 404;
    expect(await absenceOf(ROUTES).look(true, signal)).toBe('contradicted');
  });

  it('is not known either where discovery fails, and looks begin anew', async () => {
    world.cluster.absent.add('httproutes');
    const absence = absenceOf(ROUTES);
    for (let look = 0; look < 3; look += 1) await absence.look(true, signal);
    world.cluster.instead = () => 503;
    await expect(absence.look(true, signal)).rejects.toThrow(Unknown);
    world.cluster.instead = undefined;
    expect(await absence.look(true, signal)).toBe('unsure');
  });

  it('goes by the list alone where discovery is forbidden', async () => {
    world.cluster.instead = () => 403;
    expect(await absenceOf(ROUTES).look(false, signal)).toBe('gone');
  });
});
