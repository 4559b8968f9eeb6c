import { setTimeout as sleep } from 'node:timers/promises';
import type { Subject } from '../../stand.ts';
import { SteadyLoad, type Seen } from '../../steady-load.ts';
import { between, type Outcome, type Part, type ScenarioResult } from '../report.ts';
import { admin, took, type World } from '../world.ts';

const PER_SECOND = 400;
const ERRORS = 0.05;
const MOST_FAILED = 0.01;
const STEPS = ['1%', '5%', '20%', '50%'];
const GIVE_UP_MS = 60_000;
const AFTER_MS = 1500;
const LOOK_MS = 25;

interface Rollout {
  readonly route: string;
  readonly status: string;
  readonly weight: string;
}

/** One rollout under load. */
interface Rolling {
  readonly route: string;
  readonly load: SteadyLoad;
  /** Weights that were seen, with the moment. */
  readonly weights: { readonly weight: string; readonly at: number }[];
  endedAt: number;
}

/** A canary that fails now and then, and one that is good, at the same time. */
export async function canaries(world: World): Promise<ScenarioResult> {
  const names = ['stable', 'bad', 'good'];
  const [stable, bad, good] = await world.startTargets(names);
  await bad?.tell('broken', world.pick(2 ** 31), ERRORS);
  const gateway = await world.startGateway(configFor(stable?.url ?? '', { bad: bad?.url, good: good?.url }));
  const rolling = ['bad', 'good'].map((route) => begin(world, gateway, route));
  const waited = await took(() => watch(gateway, rolling), GIVE_UP_MS);
  await sleep(AFTER_MS);
  await Promise.all(rolling.map(({ load }) => load.stop()));
  const [first, second] = rolling as [Rolling, Rolling];
  return {
    parts: rolling.flatMap(partsOf),
    outcomes: [
      { kept: waited !== Infinity, line: `both come to an end by themselves, after ${waited.toFixed(0)} ms` },
      rolledBack(first),
      promoted(second),
    ],
  };
}

function configFor(stable: string, canaries: Readonly<Record<string, string | undefined>>): object {
  const upstreams = Object.entries(canaries).map(([name, url]) => {
    const targets = [
      { url: stable, labels: { track: 'stable' } },
      { url, labels: { track: 'canary' } },
    ];
    // What fails is not hidden by another try.
    return [name, { targets, retry: { attempts: 1 } }];
  });
  const canary = {
    to: { track: 'canary' },
    sticky: { header: 'x-user' },
    steps: STEPS,
    stepTime: '1500ms',
    stepRequests: 30,
    warmUp: '0ms',
    // Of two processes on a busy machine one may really be slower for a while.
    tolerance: { p95: 3 },
  };
  return {
    version: 1,
    contracts: { enabled: false },
    defaults: { policies: { authentication: 'public' } },
    upstreams: Object.fromEntries(upstreams),
    routes: Object.keys(canaries).map((id) => ({ id, match: { path: `/${id}` }, upstream: id, canary })),
  };
}

function begin(world: World, { origin }: Subject, route: string): Rolling {
  const headers = (): Record<string, string> => ({ 'x-user': `user-${world.pick(1e9)}` });
  const load = new SteadyLoad(`${origin}/${route}`, { perSecond: PER_SECOND, headers }).start();
  return { route, load, weights: [], endedAt: Infinity };
}

/** Notes how all of them are. @returns whether nothing can happen any more. */
async function watch(gateway: Subject, rolling: readonly Rolling[]): Promise<boolean> {
  const listed = await admin<Rollout[]>(gateway, '/canaries');
  for (const one of rolling) {
    const found = listed.find(({ route }) => route === one.route);
    if (found === undefined) continue;
    const { weight, status } = found;
    if (one.weights.at(-1)?.weight !== weight) one.weights.push({ weight, at: performance.now() });
    if (status !== 'running') one.endedAt = Math.min(one.endedAt, performance.now());
  }
  await sleep(LOOK_MS);
  return rolling.every(({ endedAt }) => endedAt !== Infinity);
}

function partsOf({ route, load, weights }: Rolling): Part[] {
  return weights.map(({ weight, at }, index) => {
    const seen = between(load.seen, at, weights[index + 1]?.at);
    const at100 = seen.filter(({ servedBy }) => servedBy !== 'stable').length;
    return { part: `${route}, ${weight}: ${((100 * at100) / seen.length).toFixed(1)} % there`, seen };
  });
}

const failedOf = (seen: readonly Seen[]): number => seen.filter(({ kind }) => kind !== '200').length;

function rolledBack({ load, weights, endedAt }: Rolling): Outcome {
  const until = load.seen.filter(({ dueAt, ms }) => dueAt + ms <= endedAt);
  const share = failedOf(until) / until.length;
  // What was under way when it was rolled back may fail a moment later.
  const later = failedOf(between(load.seen, endedAt));
  return {
    kept: weights.at(-1)?.weight === '0%' && share < MOST_FAILED && later === 0,
    line: `with ${100 * ERRORS} % of errors it is rolled back after ${failedOf(until)} of ${until.length} requests failed: ${(100 * share).toFixed(2)} %, less than 1; ${later} failed afterwards`,
  };
}

function promoted({ load, weights, endedAt }: Rolling): Outcome {
  const failed = failedOf(load.seen);
  const after = between(load.seen, endedAt);
  const there = after.filter(({ servedBy }) => servedBy === 'good').length;
  const path = weights.map(({ weight }) => weight).join(', ');
  return {
    kept: weights.at(-1)?.weight === '100%' && failed === 0 && there === after.length,
    line: `a good one goes to 100 % without a hand: ${path}; ${there} of ${after.length} requests after that are there, ${failed} of ${load.seen.length} failed`,
  };
}
