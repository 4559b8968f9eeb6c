import { setTimeout as sleep } from 'node:timers/promises';
import { startSentinels, type GroupNode, type RedisGroup } from '../../../test/support/redis-group.ts';
import type { ScenarioResult } from '../../chaos/report.ts';
import { isUsed } from '../../chaos/scenarios/redis.ts';
import { took, type World } from '../../chaos/world.ts';
import { SteadyLoad } from '../../steady-load.ts';
import { allLeft, Clients } from '../clients.ts';
import { Fleet, type Ending } from '../fleet.ts';
import { Haproxy } from '../haproxy.ts';
import { LIMIT, LimitTally, limitKept } from '../limit-tally.ts';
import { configOf } from './rolling-restart.ts';

const REPLICAS = 4;
const CALM_MS = 2000;
const GIVE_UP_MS = 60_000;
/** As docs/redis.md has it of a Redis that is back. */
const USED_WITHIN_MS = 1000;
const LIMITED_PER_SECOND = 40;
/** Into the drain of one of them. */
const KILL_AFTER_MS = 300;

/** From the end of the old master, and from the choice of the new one, in ms. */
interface Failover {
  readonly electedMs: number;
  readonly usedMs: number;
  /** By how much the machine may have been late meanwhile. */
  readonly slackMs: number;
}

/** Replicas are replaced one after the other; while one drains the master of Redis is killed, and Sentinels choose another one. */
export async function redisFailoverWhileRolling(world: World): Promise<ScenarioResult> {
  const group = await startSentinels();
  world.stand.redisUrl = group.url;
  try {
    const targets = await world.startTargets(['one', 'two']);
    const limited = {
      id: 'limited',
      match: { path: '/limited' },
      upstream: 'users',
      policies: { rateLimit: LIMIT },
    };
    const config = configOf(
      targets.map(({ url }) => url),
      [limited],
    );
    const fleet = await Fleet.start(world, config, REPLICAS);
    await fleet.untilCounted();
    const haproxy = await Haproxy.start(world, fleet.ports);
    const clients = await new Clients(world, haproxy).start();
    const tally = new LimitTally(fleet).start();
    const load = new SteadyLoad(`${haproxy.origin}/limited`, {
      // Above the limit on any machine.
      perSecond: Math.max(1.5 * LIMIT.rate, world.lateness.scaled(LIMITED_PER_SECOND)),
    }).start();
    await sleep(CALM_MS);
    const { endings, failover } = await rollThrough(world, fleet, haproxy, group);
    await sleep(CALM_MS);
    await load.stop();
    await tally.stop();
    const { parts, outcomes } = await clients.finish();
    const { switches, late } = tally.sum;
    // The new master has not heard all of the bucket; each replica has its part of one when it gives Redis up, and there
    // is a full one when the first of them uses it again.
    const excuses = {
      bursts: 2 + Math.ceil(switches / 2 / REPLICAS),
      apartMs: failover.electedMs + failover.usedMs,
      late,
    };
    return {
      parts: [...parts, { part: 'with a limit', seen: load.seen }],
      outcomes: [
        ...outcomes,
        ...limitKept(load.seen, LIMIT, excuses),
        allLeft(endings),
        {
          kept: failover.usedMs <= USED_WITHIN_MS + failover.slackMs && switches > 0,
          line: `all use the new master ${failover.usedMs.toFixed(0)} ms after Sentinels have chosen it, which took ${failover.electedMs.toFixed(0)} ms; within ${USED_WITHIN_MS} ms, and ${failover.slackMs.toFixed(0)} that the machine was late`,
        },
      ],
    };
  } finally {
    world.stand.redisUrl = undefined;
    await group.stop();
  }
}

async function rollThrough(
  world: World,
  fleet: Fleet,
  haproxy: Haproxy,
  group: RedisGroup,
): Promise<{ readonly endings: readonly Ending[]; readonly failover: Failover }> {
  const endings: Ending[] = [];
  const meanwhile = world.pick(REPLICAS);
  let failover: Failover = { electedMs: Infinity, usedMs: Infinity, slackMs: 0 };
  for (const index of fleet.replicas.keys()) {
    const rolled = fleet.rollOne(index, haproxy);
    if (index === meanwhile) failover = await failOver(world, fleet, group, index);
    endings.push(await rolled);
  }
  return { endings, failover };
}

/** Kills the master, and waits until all that stay use the other one. */
async function failOver(
  { lateness }: World,
  fleet: Fleet,
  { nodes, sentinels = [] }: RedisGroup,
  leaving: number,
): Promise<Failover> {
  await sleep(KILL_AFTER_MS);
  const [master, replica] = nodes as [GroupNode, GroupNode];
  const stay = fleet.subjects.filter((_, index) => index !== leaving);
  await master.kill();
  const isNamed = async (): Promise<boolean> =>
    Promise.all(sentinels.map((one) => one.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster'))).then(
      (named) => named.every((place) => String(place) === `127.0.0.1,${replica.port}`),
      () => false,
    );
  const electedMs = await took(isNamed, GIVE_UP_MS);
  const areUsed = async (): Promise<boolean> => (await Promise.all(stay.map(isUsed))).every(Boolean);
  const since = performance.now();
  const usedMs = await took(areUsed, GIVE_UP_MS);
  return { electedMs, usedMs, slackMs: lateness.slackMs(since) };
}
