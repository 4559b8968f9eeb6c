import { setTimeout as sleep } from 'node:timers/promises';
import { between, noneFailed, type Outcome, type ScenarioResult } from '../../chaos/report.ts';
import { healingOf, took, type ChaosTarget, type World } from '../../chaos/world.ts';
import { SteadyLoad, type Seen } from '../../steady-load.ts';
import { Fleet, type ReplicaConfig } from '../fleet.ts';

const ZONES = ['a', 'b'] as const;
const EACH_ZONE = 2;
const PER_SECOND = 40;
const CALM_MS = 4000;
const LOST_MS = 5000;
/** Probes, and a breaker that has doubled its time to its longest. */
const HOME_WITHIN_MS = 10_000;

type Zone = (typeof ZONES)[number];

/** A gateway and two targets in each of two zones; all targets of one zone are killed at once, and come back. */
export async function zoneLost(world: World): Promise<ScenarioResult> {
  const names = ZONES.flatMap((zone) =>
    Array.from({ length: EACH_ZONE }, (_, index) => `${zone}${index + 1}`),
  );
  const targets = await world.startTargets(names);
  const fleet = await Fleet.start(
    world,
    (port, index) => configFor(port, ZONES[index] as Zone, targets, healingOf(world)),
    ZONES.length,
  );
  const loads = fleet.subjects.map(({ origin }) =>
    new SteadyLoad(`${origin}/users`, { perSecond: world.lateness.scaled(PER_SECOND) }).start(),
  );
  await sleep(CALM_MS);
  const lost = world.pick(ZONES.length);
  const victims = targets.filter(({ name }) => name.startsWith(ZONES[lost] as Zone));
  const lostAt = performance.now();
  await Promise.all(victims.map((target) => target.kill()));
  await sleep(LOST_MS);
  await Promise.all(victims.map((target) => target.restart()));
  const backAt = performance.now();
  const load = loads[lost] as SteadyLoad;
  const homeMs = await took(() => isHome(load.seen, victims, backAt), 3 * HOME_WITHIN_MS);
  const slackMs = world.lateness.slackMs(backAt);
  const homeAt = performance.now();
  await sleep(CALM_MS);
  await Promise.all(loads.map((one) => one.stop()));
  const all = loads.flatMap(({ seen }) => seen);
  const [here, there] = [load.seen, (loads[1 - lost] as SteadyLoad).seen];
  return {
    parts: [
      { part: 'all there', seen: between(all, 0, lostAt) },
      { part: `zone ${ZONES[lost]} lost`, seen: between(all, lostAt, backAt) },
      { part: 'back', seen: between(all, backAt) },
    ],
    outcomes: [
      noneFailed(all, 'no GET fails'),
      atHome('before', between(here, 0, lostAt), victims),
      {
        kept: homeMs <= HOME_WITHIN_MS + slackMs,
        line: `its targets have calls of their zone again ${homeMs.toFixed(0)} ms after they are back, within ${HOME_WITHIN_MS} ms, and ${slackMs.toFixed(0)} that the machine was late`,
      },
      atHome('once they have', between(here, homeAt), victims),
      atHome(
        'of the other zone, all the time',
        there,
        targets.filter((one) => !victims.includes(one)),
      ),
    ],
  };
}

function configFor(port: number, zone: Zone, targets: readonly ChaosTarget[], healing: object): object {
  return {
    version: 1,
    contracts: { enabled: false },
    listeners: [{ host: '127.0.0.1', port }],
    floodLimit: 'off',
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      users: {
        ...healing,
        zone: { local: zone },
        targets: targets.map(({ name, url }) => ({ url, zone: name[0] })),
      },
    },
    routes: [{ id: 'users', match: { path: '/users' }, upstream: 'users' }],
  } satisfies ReturnType<ReplicaConfig>;
}

/** Whether each of these targets has answered something that came later. */
function isHome(seen: readonly Seen[], targets: readonly ChaosTarget[], since: number): boolean {
  return targets.every(({ name }) => seen.some(({ servedBy, dueAt }) => servedBy === name && dueAt >= since));
}

function atHome(when: string, seen: readonly Seen[], targets: readonly ChaosTarget[]): Outcome {
  const own = new Set<string | undefined>(targets.map(({ name }) => name));
  const away = seen.filter(({ servedBy }) => !own.has(servedBy)).length;
  return {
    kept: seen.length > 0 && away === 0,
    line: `all stays in the zone ${when}: ${away} of ${seen.length} did not`,
  };
}
