import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { between, kindsOf, noneFailed, type Outcome, type ScenarioResult } from '../../chaos/report.ts';
import { took, type World } from '../../chaos/world.ts';
import type { Subject } from '../../stand.ts';
import { SteadyLoad, type Seen } from '../../steady-load.ts';
import { Fleet, readiness } from '../fleet.ts';
import { Haproxy } from '../haproxy.ts';
import { LIMIT, LimitTally, limitKept } from '../limit-tally.ts';
import { configOf } from './rolling-restart.ts';

const REPLICAS = 3;
/** A rate that its part can be told of: of three replicas each has a third. */
const [RATE, BURST] = [12, 12];
const PER_SECOND = 30;
const CALM_MS = 3000;
const TOLD_MS = 500;
/** Longer than replicas are counted that have said nothing. */
const CUT_MS = 8000;
/** A silent connection is replaced after a second, and an attempt takes 600 ms; see docs/redis.md. */
const DEGRADED_WITHIN_MS = 3000;
const BACK_WITHIN_MS = 1000;
const GIVE_UP_MS = 15_000;

/** What happened to the one, by the clock of the loads. */
interface Times {
  readonly cutAt: number;
  readonly degradedMs: number;
  readonly wellAt: number;
  readonly backMs: number;
  /** By how much the machine may have been late, after the cut and after its end. */
  readonly cutSlackMs: number;
  readonly backSlackMs: number;
  /** When all were counted again, and what had become of calls to Redis by then. */
  readonly agreedAt: number;
  readonly backTally: LimitTally['sum'];
}

/** One of three replicas is cut off from Redis, and so from the others, and comes back. */
export async function cutOff(world: World): Promise<ScenarioResult> {
  const redis = await startRedis();
  const cable = await new FaultProxy(redis.port).start();
  world.stand.redisUrl = redis.url;
  try {
    const cut = world.pick(REPLICAS);
    const [target] = await world.startTargets(['one']);
    const rateLimit = { ...LIMIT, rate: RATE, burst: BURST };
    const limited = {
      id: 'limited',
      match: { path: '/limited' },
      upstream: 'users',
      policies: { rateLimit },
    };
    const config = configOf([target?.url ?? ''], [limited]);
    const behindCable = { env: { REDIS_URL: `redis://127.0.0.1:${cable.port}` } };
    const fleet = await Fleet.start(world, config, REPLICAS, (index) => (index === cut ? behindCable : {}));
    await fleet.untilCounted();
    const haproxy = await Haproxy.start(world, fleet.ports);
    const tally = new LimitTally(fleet).start();
    const plain = new SteadyLoad(`${haproxy.origin}/users`, {
      perSecond: world.lateness.scaled(PER_SECOND),
    }).start();
    const loads = fleet.subjects.map(({ origin }) =>
      new SteadyLoad(`${origin}/limited`, { perSecond: PER_SECOND }).start(),
    );
    const one = fleet.subjects[cut] as Subject;
    const times = await pull(cable, { world, fleet, one, tally });
    await Promise.all([plain, ...loads].map((load) => load.stop()));
    await tally.stop();
    const own = (loads[cut] as SteadyLoad).seen;
    return {
      parts: [
        { part: 'before', seen: between(plain.seen, 0, times.cutAt) },
        { part: 'cut off', seen: between(plain.seen, times.cutAt, times.wellAt) },
        { part: 'back', seen: between(plain.seen, times.wellAt) },
      ],
      outcomes: [
        noneFailed(plain.seen, 'no request without a limit fails'),
        ...(await toldOutcomes(times)),
        partOutcome(own, times),
        ...limitKept(
          loads.flatMap(({ seen }) => seen),
          { rate: RATE, burst: BURST },
          {
            bursts: 2,
            apartMs: (times.wellAt + times.backMs - times.cutAt) / REPLICAS,
            late: tally.sum.late,
          },
        ),
        agreed(loads, times, tally.sum),
      ],
    };
  } finally {
    world.stand.redisUrl = undefined;
    await cable.stop();
    await redis.stop();
  }
}

interface Scene {
  readonly world: World;
  readonly fleet: Fleet;
  readonly one: Subject;
  readonly tally: LimitTally;
}

async function pull(cable: FaultProxy, { world: { lateness }, fleet, one, tally }: Scene): Promise<Times> {
  await sleep(CALM_MS);
  const cutAt = performance.now();
  cable.isDeaf = true;
  const degradedMs = await took(async () => said(await readiness(one)) === '200 degraded', GIVE_UP_MS);
  const cutSlackMs = lateness.slackMs(cutAt);
  await sleep(Math.max(0, cutAt + CUT_MS - performance.now()));
  const wellAt = performance.now();
  cable.isDeaf = false;
  const backMs = await took(async () => said(await readiness(one)) === '200 ok', GIVE_UP_MS);
  const backSlackMs = lateness.slackMs(wellAt);
  await fleet.untilCounted();
  // What they say of themselves is read now and then.
  await sleep(TOLD_MS);
  const [agreedAt, backTally] = [performance.now(), tally.sum];
  await sleep(CALM_MS);
  return { cutAt, degradedMs, wellAt, backMs, cutSlackMs, backSlackMs, agreedAt, backTally };
}

function said({ status, store }: { readonly status: number; readonly store: string }): string {
  return `${status} ${store}`;
}

function toldOutcomes({ degradedMs, backMs, cutSlackMs, backSlackMs }: Times): readonly Outcome[] {
  return [
    {
      kept: degradedMs <= DEGRADED_WITHIN_MS + cutSlackMs,
      line: `readiness says degraded, with 200, ${degradedMs.toFixed(0)} ms after the cut, within ${DEGRADED_WITHIN_MS} ms, and ${cutSlackMs.toFixed(0)} that the machine was late`,
    },
    {
      kept: backMs <= BACK_WITHIN_MS + backSlackMs,
      line: `goes by Redis again ${backMs.toFixed(0)} ms after it is back, within ${BACK_WITHIN_MS} ms, and ${backSlackMs.toFixed(0)} that the machine was late`,
    },
  ];
}

/** What the one admits alone: its part of the limit, no more and hardly less. */
function partOutcome(own: readonly Seen[], { cutAt, degradedMs, wellAt }: Times): Outcome {
  const alone = between(own, cutAt + degradedMs, wellAt);
  const seconds = (wellAt - cutAt - degradedMs) / 1000;
  const admitted = kindsOf(alone)['200'] ?? 0;
  const part = (RATE * seconds) / REPLICAS;
  const most = part + BURST / REPLICAS + 1;
  return {
    kept: admitted >= 0.9 * part - 1 && admitted <= most,
    line: `alone it admits its part, a third: ${admitted} in ${seconds.toFixed(1)} s, by the rate ${part.toFixed(1)}, at most ${most.toFixed(1)} with its burst`,
  };
}

/**
 * That all together admit no more than the limit, once the one is back. Calls that are late on a busy machine are decided without Redis,
 * and charged when they arrive; a replica that has given Redis up again has its part of a burst.
 */
function agreed(
  loads: readonly SteadyLoad[],
  { agreedAt, backTally }: Times,
  atEnd: LimitTally['sum'],
): Outcome {
  const all = loads.flatMap(({ seen }) => between(seen, agreedAt));
  const seconds = (Math.max(...all.map(({ dueAt, ms }) => dueAt + ms)) - agreedAt) / 1000;
  const admitted = kindsOf(all)['200'] ?? 0;
  const late = atEnd.late - backTally.late;
  const bursts = 1 + Math.ceil((atEnd.switches - backTally.switches) / 2 / REPLICAS);
  const most = RATE * seconds + BURST * bursts + late;
  return {
    kept: admitted > 0 && admitted <= most,
    line: `all agree again: ${admitted} admitted together in ${seconds.toFixed(1)} s, at most ${most.toFixed(1)}: ${bursts} bursts, ${late} late calls`,
  };
}
