import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../test/support/redis.ts';
import { readMetrics, sumOf } from '../../metrics.ts';
import type { Subject } from '../../stand.ts';
import { SteadyLoad, type Seen } from '../../steady-load.ts';
import { median } from '../../table.ts';
import { between, kindsOf, textOf, within, type Outcome, type ScenarioResult } from '../report.ts';
import { took, type World } from '../world.ts';
import type { Patient } from './redis-ailments.ts';

export { AILMENTS } from './redis-ailments.ts';

/** What a call to Redis may cost a request; see `StoreGuard`. */
const BUDGET_MS = 10;
const BACK_WITHIN_MS = 1000;
const GIVE_UP_MS = 15_000;
const [USERS, RATE, BURST] = [6, 10, 10];
/** Requests a second at each gateway: more than the limits admit, and little enough that nobody waits for the processor. */
const ASKED_PER_SECOND = 90;
/** Of routes, each with a bucket of its own: in a Cluster they are at different nodes. */
const NAMES = Array.from({ length: USERS }, (_, index) => `users-${index}`);
const WARM_UP_MS = 3000;
const CALM_MS = 2000;
/** It is the median of these that counts, which a machine that has other things to do does not spoil. */
const ROUNDS = 3;
/** Rounds at most; one that the machine was too busy for says nothing. */
const MOST_ROUNDS = 8;
/** What p99 may be at the gateway whose Redis is well, for anything to be said about the other one. */
const QUIET_MS = 40;
const LONGEST_WAIT_MS = 60_000;
/** The least that is admitted, of what the gateway admits whose Redis is well. */
const LEAST = 0.9;

/** What of the run was a fault, and how long it took until Redis was used again. */
interface Round {
  readonly illAt: number;
  readonly wellAt: number;
  readonly backMs: number;
}

/** One gateway under load, and what its clients saw. */
interface Loaded {
  readonly gateway: Subject;
  readonly loads: readonly SteadyLoad[];
}

/**
 * Two gateways with a limit, at the same time and under the same load: the Redis of one falls ill several times, and gets well; that
 * of the other one never does. What slows both down is the machine.
 */
export async function redisIll(world: World, fallIll: () => Promise<Patient>): Promise<ScenarioResult> {
  const [patient, healthy] = await Promise.all([fallIll(), startRedis()]);
  try {
    let falls = 0;
    const [target] = await world.startTargets(['users']);
    const config = configFor(target?.url ?? '');
    const [ill, well] = [await load(world, patient.url, config), await load(world, healthy.url, config)];
    await sleep(WARM_UP_MS);
    const beganAt = performance.now();
    const rounds: Round[] = [];
    for (let i = 0; i < MOST_ROUNDS && rounds.length < ROUNDS; i += 1) {
      if (i > 0) await patient.recover?.();
      await took(() => isQuiet(well), LONGEST_WAIT_MS);
      const round = await fall(ill.gateway, patient);
      falls += 1;
      await sleep(CALM_MS);
      if (p99Of(well, round.illAt, round.wellAt) < QUIET_MS) rounds.push(round);
    }
    if (rounds.length < ROUNDS)
      throw new Error(`the machine has too much else to do: ${rounds.length} of ${ROUNDS} rounds count`);
    const endedAt = performance.now();
    await Promise.all([...ill.loads, ...well.loads].map((one) => one.stop()));
    const [seen, beside] = [ill, well].map(({ loads }) => loads.flatMap((one) => one.seen)) as [
      Seen[],
      Seen[],
    ];
    const metrics = await readMetrics(ill.gateway.adminOrigin);
    const [limits, connection] = ['use="limits"', 'use="connection"'];
    const switches =
      sumOf(metrics, 'gatehouse_store_switches_total', limits) +
      sumOf(metrics, 'gatehouse_store_switches_total', connection);
    const late = sumOf(metrics, 'gatehouse_store_failures_total', limits);
    const back = Math.max(...rounds.map(({ backMs }) => backMs));
    return {
      parts: [
        { part: 'Redis well', seen: between(seen, -Infinity, rounds[0]?.illAt) },
        { part: 'Redis ill', seen: during(seen, rounds) },
        { part: 'beside it', seen: during(beside, rounds) },
        { part: 'Redis well again', seen: between(seen, (rounds.at(-1) as Round).wellAt + BACK_WITHIN_MS) },
      ],
      outcomes: [
        slower(seen, beside, rounds),
        noneBroken([...seen, ...beside]),
        bounded(seen, { late, switches: switches + (patient.forgets === true ? falls : 0) }),
        enough(between(seen, beganAt, endedAt), between(beside, beganAt, endedAt)),
        {
          kept: back <= BACK_WITHIN_MS,
          line: `used again ${back.toFixed(0)} ms after it is well, at the latest`,
        },
      ],
    };
  } finally {
    world.stand.redisUrl = undefined;
    await Promise.all([patient.stop(), healthy.stop()]);
  }
}

/** Starts a gateway with a Redis, and its clients one after the other: they would all ask at once for ever. */
async function load(world: World, redisUrl: string, config: object): Promise<Loaded> {
  world.stand.redisUrl = redisUrl;
  const gateway = await world.startGateway(config);
  await took(() => isUsed(gateway), GIVE_UP_MS);
  const loads: SteadyLoad[] = [];
  for (const name of NAMES) {
    await sleep(1000 / ASKED_PER_SECOND);
    loads.push(new SteadyLoad(`${gateway.origin}/${name}`, { perSecond: ASKED_PER_SECOND / USERS }).start());
  }
  return { gateway, loads };
}

/** Whether the machine has left the gateway whose Redis is well alone, for the last second. */
async function isQuiet(well: Loaded): Promise<boolean> {
  await sleep(200);
  return p99Of(well, performance.now() - 1000, performance.now() - QUIET_MS) < QUIET_MS;
}

function p99Of({ loads }: Loaded, from: number, to: number): number {
  const seen = loads.flatMap((one) => between(one.seen, from, to));
  // Who has not been answered at all is not among them.
  const due = ((to - from) * ASKED_PER_SECOND) / 1000;
  return seen.length < due * 0.9 ? Infinity : within(seen, 0.99);
}

async function fall(gateway: Subject, patient: Patient): Promise<Round> {
  const illAt = performance.now();
  await patient.suffer();
  const wellAt = performance.now();
  return { illAt, wellAt, backMs: await took(() => isUsed(gateway), GIVE_UP_MS) };
}

function during(seen: readonly Seen[], rounds: readonly Round[]): readonly Seen[] {
  return rounds.flatMap(({ illAt, wellAt }) => between(seen, illAt, wellAt));
}

function configFor(target: string): object {
  return {
    version: 1,
    contracts: { enabled: false },
    defaults: { policies: { authentication: 'public' } },
    upstreams: { users: { targets: [target] } },
    routes: NAMES.map((id) => ({
      id,
      match: { path: `/${id}` },
      upstream: 'users',
      policies: { rateLimit: { key: 'global', rate: RATE, per: '1s', burst: BURST, onStoreError: 'local' } },
    })),
  };
}

/** Whether a gateway goes by Redis: it is connected, and its limits are counted there. */
export async function isUsed({ adminOrigin }: Subject): Promise<boolean> {
  const metrics = await readMetrics(adminOrigin);
  return ['connection', 'limits'].every(
    (use) => sumOf(metrics, 'gatehouse_store_use_up', `use="${use}"`) === 1,
  );
}

/** By the median of what p99 rises in a round, against the other gateway at the same time. */
function slower(seen: readonly Seen[], beside: readonly Seen[], rounds: readonly Round[]): Outcome {
  const p99s = rounds.map((round) => [beside, seen].map((all) => within(during(all, [round]), 0.99))) as [
    number,
    number,
  ][];
  const rise = median(p99s.map(([well, ill]) => ill - well));
  const each = p99s.map(([well, ill]) => `${well.toFixed(1)} → ${ill.toFixed(1)}`).join(', ');
  return {
    kept: rise < BUDGET_MS,
    line: `p99 rises by less than ${BUDGET_MS} ms: by ${rise.toFixed(1)} (beside → here: ${each})`,
  };
}

function noneBroken(seen: readonly Seen[]): Outcome {
  const { 200: _ok, '429 rate-limited': _limited, ...others } = kindsOf(seen);
  const kept = Object.keys(others).length === 0;
  return {
    kept,
    line: `all are served or over the limit: ${seen.length} requests, others: ${textOf(others)}`,
  };
}

/** What may let pass more than a limit says. */
interface Excuses {
  /** How often Redis was given up, used again, or has forgotten: a bucket may be full then. */
  readonly switches: number;
  /** Calls that Redis did not answer in time while it was used: each may have been let pass here and refused there. */
  readonly late: number;
}

function bounded(seen: readonly Seen[], { switches, late }: Excuses): Outcome {
  const due = seen.map(({ dueAt }) => dueAt);
  const seconds = (Math.max(...due) - Math.min(...due)) / 1000;
  const bursts = 1 + switches;
  const most = USERS * (RATE * seconds + BURST * bursts) + late;
  const count = kindsOf(seen)['200'] ?? 0;
  const line = `admitted ${count} of ${seen.length} in ${seconds.toFixed(1)} s: at most ${most.toFixed(0)} by the limit, ${bursts} bursts and ${late} late calls`;
  return { kept: count > 0 && count <= most, line };
}

function enough(seen: readonly Seen[], beside: readonly Seen[]): Outcome {
  const [here, there] = [seen, beside].map((all) => kindsOf(all)['200'] ?? 0) as [number, number];
  const share = here / there;
  return {
    kept: share >= LEAST,
    line: `admitted at least ${LEAST * 100} % of what is admitted beside it: ${here} of ${there}, ${(share * 100).toFixed(0)} %`,
  };
}
