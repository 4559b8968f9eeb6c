import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../test/support/redis.ts';
import { median } from '../../table.ts';
import type { Subject } from '../../stand.ts';
import { SteadyLoad } from '../../steady-load.ts';
import { between, noneFailed, type Outcome, type ScenarioResult } from '../report.ts';
import { admin, took, type World } from '../world.ts';

const AGREE_WITHIN_MS = 200;
const REPLICAS = 3;
const HINTS = 10;
const FAILURES = 3;
const EACH_PER_SECOND = 60;
const STEPS = ['20%', '40%', '60%', '80%'];
const STEP_MS = 700;
const GIVE_UP_MS = 15_000;
const OUTAGE_MS = 2000;
const LOOK_MS = 5;
/** Longer than it takes to notice that Redis is back. */
const BACK_WITHIN_MS = 5000;

interface Listed {
  readonly upstream: string;
  readonly targets: readonly { readonly breaker: { readonly state: string; readonly suspect: boolean } }[];
}
interface Rollout {
  readonly route: string;
  readonly status: string;
  readonly weight: string;
}

/** Three gateways with one Redis, which dies and comes back. */
export async function replicas(world: World): Promise<ScenarioResult> {
  const redis = await startRedis();
  world.stand.redisUrl = redis.url;
  try {
    const [stable, canary] = await world.startTargets(['stable', 'canary']);
    const config = configFor(stable?.url ?? '', canary?.url ?? '');
    const gateways: Subject[] = [];
    // One after the other: a port that is free now may be that of another one in a moment.
    while (gateways.length < REPLICAS) gateways.push(await world.startGateway(config));
    const startedAt = performance.now();
    const hints = await hintTimes(world, gateways, 0);
    const user = (): Record<string, string> => ({ 'x-user': `user-${world.pick(1e6)}` });
    const loads = gateways.map(({ origin }) =>
      new SteadyLoad(`${origin}/roll`, {
        perSecond: world.lateness.scaled(EACH_PER_SECOND),
        headers: user,
      }).start(),
    );
    const beganAt = performance.now();
    const spreads = await stepSpreads(gateways);
    const promoted = performance.now() - beganAt;
    const killedAt = performance.now();
    await redis.kill();
    await sleep(OUTAGE_MS);
    const alone = await aloneOutcomes(gateways);
    await redis.restart();
    const backAt = performance.now();
    const agreed = await took(() => agree(gateways, 'held', 'aborted'), GIVE_UP_MS);
    await sleep(BACK_WITHIN_MS);
    const hintsAfter = await hintTimes(world, gateways, HINTS);
    await Promise.all(loads.map((load) => load.stop()));
    const seen = loads.flatMap((load) => load.seen);
    const slackMs = world.lateness.slackMs(startedAt);
    return {
      parts: [
        { part: 'Redis there', seen: between(seen, 0, killedAt) },
        { part: 'Redis gone', seen: between(seen, killedAt, backAt) },
        { part: 'Redis back', seen: between(seen, backAt) },
      ],
      outcomes: [
        agreeOn('breaker hints', hints, HINTS, slackMs),
        agreeOn('steps of a canary', spreads, STEPS.length, slackMs),
        { kept: promoted < GIVE_UP_MS, line: `the canary is at 100 % after ${promoted.toFixed(0)} ms` },
        noneFailed(seen),
        ...alone,
        {
          kept: agreed <= BACK_WITHIN_MS,
          line: `agree on what one has done alone ${agreed.toFixed(0)} ms after Redis is back`,
        },
        agreeOn('breaker hints once it is back', hintsAfter, HINTS, slackMs),
      ],
    };
  } finally {
    world.stand.redisUrl = undefined;
    await redis.stop();
  }
}

function configFor(stable: string, canary: string): object {
  const names = [...Array.from({ length: 2 * HINTS }, (_, index) => `h${index}`), 'alone'];
  const failing = {
    targets: [stable],
    retry: { attempts: 1 },
    circuitBreaker: { consecutiveFailures: FAILURES, openFor: '1h' },
  };
  const split = { to: { track: 'canary' }, sticky: { header: 'x-user' }, warmUp: '0ms' };
  const users = [
    { url: stable, labels: { track: 'stable' } },
    { url: canary, labels: { track: 'canary' } },
  ];
  const steps = { steps: STEPS, stepTime: `${STEP_MS}ms`, stepRequests: 5 };
  const roll = { ...split, ...steps, tolerance: { errors: '40%', p95: 'off' } };
  const held = { ...split, steps: ['50%'], stepTime: '1h' };
  return {
    version: 1,
    contracts: { enabled: false },
    defaults: { policies: { authentication: 'public' } },
    upstreams: { ...Object.fromEntries(names.map((name) => [name, failing])), users: { targets: users } },
    routes: [
      ...names.map((id) => ({ id, match: { path: `/${id}` }, upstream: id })),
      { id: 'roll', match: { path: '/roll' }, upstream: 'users', canary: roll },
      { id: 'held', match: { path: '/held' }, upstream: 'users', canary: held },
    ],
  };
}

/** How long after a breaker has opened at one of them all others know, for several breakers. */
async function hintTimes(world: World, gateways: readonly Subject[], first: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = first; index < first + HINTS; index += 1) {
    const one = gateways[world.pick(gateways.length)] as Subject;
    const others = gateways.filter((other) => other !== one);
    await fail(one, `h${index}`);
    const each = others.map((other) =>
      took(async () => (await breakerOf(other, `h${index}`))?.suspect === true, GIVE_UP_MS),
    );
    times.push(Math.max(...(await Promise.all(each))));
  }
  return times;
}

async function fail({ origin }: Subject, name: string): Promise<void> {
  for (let i = 0; i < FAILURES; i += 1) await (await fetch(`${origin}/${name}?fail`)).text();
}

async function breakerOf(gateway: Subject, name: string) {
  const all = await admin<Listed[]>(gateway, '/upstreams');
  return all.find(({ upstream }) => upstream === name)?.targets[0]?.breaker;
}

async function agree(gateways: readonly Subject[], route: string, status: string): Promise<boolean> {
  const all = await Promise.all(gateways.map((gateway) => rolloutOf(gateway, route)));
  return all.every((one) => one?.status === status);
}

async function rolloutOf(gateway: Subject, route: string): Promise<Rollout | undefined> {
  const all = await admin<Rollout[]>(gateway, '/canaries');
  return all.find((one) => one.route === route);
}

/** What each does while there is no Redis. */
async function aloneOutcomes(gateways: readonly Subject[]): Promise<readonly Outcome[]> {
  const [one, other] = gateways as [Subject, Subject];
  await fail(one, 'alone');
  const [opened, otherOne] = [await breakerOf(one, 'alone'), await breakerOf(other, 'alone')];
  const headers = { 'x-gatehouse-admin': 'chaos' };
  const { status } = await fetch(`${one.adminOrigin}/canaries/held/abort`, { method: 'POST', headers });
  const stopped = await agree([one], 'held', 'aborted');
  return [
    {
      kept: opened?.state === 'open' && otherOne?.state === 'closed' && !otherOne.suspect,
      line: `without Redis a breaker is ${opened?.state} by what its gateway sees, and ${otherOne?.state} at another`,
    },
    { kept: status === 200 && stopped, line: `without Redis a canary is aborted: ${status}` },
  ];
}

/** Looks at the weight of the rollout at each gateway until all have promoted it. @returns how far apart they came to each weight. */
async function stepSpreads(gateways: readonly Subject[]): Promise<number[]> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  const seen = await Promise.all(
    gateways.map(async (gateway) => {
      const at = new Map<string, number>();
      while (performance.now() < giveUpAt && !at.has('100%')) {
        const weight = (await rolloutOf(gateway, 'roll'))?.weight ?? '';
        if (!at.has(weight)) at.set(weight, performance.now());
        await sleep(LOOK_MS);
      }
      return at;
    }),
  );
  return [...STEPS.slice(1), '100%'].map((weight) => {
    const times = seen.map((at) => at.get(weight) ?? Infinity);
    return Math.max(...times) - Math.min(...times);
  });
}

function agreeOn(what: string, times: readonly number[], wanted: number, slackMs: number): Outcome {
  const longest = Math.max(...times);
  return {
    kept: times.length === wanted && longest <= AGREE_WITHIN_MS + slackMs,
    line: `agree on ${times.length} ${what} within ${AGREE_WITHIN_MS} ms, and ${slackMs.toFixed(0)} that the machine was late: median ${median(times).toFixed(1)}, longest ${longest.toFixed(1)}`,
  };
}
