import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startCluster, startSentinels, type GroupNode } from '../../../test/support/redis-group.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { readMetrics, sumOf } from '../../metrics.ts';
import type { Subject } from '../../stand.ts';
import { SteadyLoad, type Seen } from '../../steady-load.ts';
import { between, kindsOf, textOf, within, type Outcome, type ScenarioResult } from '../report.ts';
import { PER_SECOND, took, type World } from '../world.ts';

/** What a call to Redis may cost a request; see `StoreGuard`. */
const BUDGET_MS = 10;
const BACK_WITHIN_MS = 1000;
const GIVE_UP_MS = 15_000;
const [USERS, RATE, BURST] = [12, 10, 10];
/** Of routes, each with a bucket of its own: in a Cluster they are at different nodes. */
const NAMES = Array.from({ length: USERS }, (_, index) => `users-${index}`);
const CALM_MS = 3000;
const FAULT_MS = 3000;
const RESET_EVERY_MS = 250;

/** A Redis that can be made ill. */
interface Patient {
  readonly url: string;
  /** Makes it ill, for as long as it takes; it is well again when that is over. */
  suffer(): Promise<void>;
  /** Whether it comes back without what it had. */
  readonly forgets?: boolean;
  stop(): Promise<void>;
}

async function behindProxy(suffer: (proxy: FaultProxy) => Promise<void>): Promise<Patient> {
  const redis = await startRedis();
  const proxy = await new FaultProxy(redis.port).start();
  return {
    url: `redis://127.0.0.1:${proxy.port}`,
    suffer: () => suffer(proxy),
    stop: async () => {
      await proxy.stop();
      await redis.stop();
    },
  };
}

function delayed(ms: number): () => Promise<Patient> {
  return () =>
    behindProxy(async (proxy) => {
      proxy.delayMs = ms;
      await sleep(FAULT_MS);
      proxy.delayMs = 0;
    });
}

/** What may happen to Redis, by the name of the scenario. */
export const AILMENTS: Readonly<Record<string, () => Promise<Patient>>> = {
  'redis-50ms': delayed(50),
  'redis-500ms': delayed(500),
  'redis-stall': async () => {
    const redis = await startRedis();
    const suffer = async (): Promise<void> => {
      redis.pause();
      await sleep(FAULT_MS);
      redis.resume();
    };
    return { url: redis.url, suffer, stop: () => redis.stop() };
  },
  'redis-cable': () =>
    behindProxy(async (proxy) => {
      proxy.isDeaf = true;
      await sleep(FAULT_MS);
      proxy.isDeaf = false;
    }),
  'redis-reset': () =>
    behindProxy(async (proxy) => {
      for (let at = 0; at < FAULT_MS; at += RESET_EVERY_MS) {
        proxy.reset();
        await sleep(RESET_EVERY_MS);
      }
    }),
  'redis-restart': async () => {
    const redis = await startRedis();
    const suffer = async (): Promise<void> => {
      await redis.kill();
      await sleep(FAULT_MS);
      await redis.restart();
    };
    return { url: redis.url, suffer, forgets: true, stop: () => redis.stop() };
  },
  'redis-failover': async () => {
    const group = await startSentinels();
    const [master, replica] = group.nodes as [GroupNode, GroupNode];
    const suffer = async (): Promise<void> => {
      await master.kill();
      await took(async () => (await said(replica, 'ROLE')).startsWith('master'), GIVE_UP_MS);
    };
    return { url: group.url, suffer, forgets: true, stop: () => group.stop() };
  },
  'redis-shard': async () => {
    const group = await startCluster();
    const victim = group.nodes[1] as GroupNode;
    const suffer = async (): Promise<void> => {
      await victim.kill();
      await sleep(FAULT_MS);
      await victim.start();
      // A master that has just started refuses all for two seconds.
      await took(async () => (await said(victim, 'CLUSTER', 'INFO')).includes('state:ok'), GIVE_UP_MS);
    };
    return { url: group.url, suffer, forgets: true, stop: () => group.stop() };
  },
};

/** What a node says; nothing while it says nothing. */
async function said(node: GroupNode, ...command: readonly [string, ...string[]]): Promise<string> {
  return node.ask(...command).then(String, () => '');
}

/** One gateway with a limit in a Redis that falls ill under load, and gets well. */
export async function redisIll(world: World, fallIll: () => Promise<Patient>): Promise<ScenarioResult> {
  const patient = await fallIll();
  world.stand.redisUrl = patient.url;
  try {
    const [target] = await world.startTargets(['users']);
    const gateway = await world.startGateway(configFor(target?.url ?? ''));
    await took(() => isUsed(gateway), GIVE_UP_MS);
    const perSecond = PER_SECOND / USERS;
    const loads = NAMES.map((name) => new SteadyLoad(`${gateway.origin}/${name}`, { perSecond }).start());
    const beganAt = performance.now();
    await sleep(CALM_MS);
    const illAt = performance.now();
    await patient.suffer();
    const wellAt = performance.now();
    const back = await took(() => isUsed(gateway), GIVE_UP_MS);
    await sleep(CALM_MS);
    await Promise.all(loads.map((load) => load.stop()));
    const seen = loads.flatMap((load) => load.seen);
    const parts = [
      { part: 'Redis well', seen: between(seen, beganAt, illAt) },
      { part: 'Redis ill', seen: between(seen, illAt, wellAt) },
      { part: 'Redis well again', seen: between(seen, wellAt + BACK_WITHIN_MS) },
    ] as const;
    const switches = sumOf(await readMetrics(gateway.adminOrigin), 'gatehouse_store_switches_total');
    const given = {
      seconds: (performance.now() - beganAt) / 1000,
      switches,
      forgets: patient.forgets === true,
    };
    return {
      parts,
      outcomes: [
        slower(parts[0].seen, parts[1].seen),
        noneBroken(seen),
        admitted(seen, given),
        { kept: back <= BACK_WITHIN_MS, line: `used again ${back.toFixed(0)} ms after it is well` },
      ],
    };
  } finally {
    world.stand.redisUrl = undefined;
    await patient.stop();
  }
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

async function isUsed({ adminOrigin }: Subject): Promise<boolean> {
  const metrics = await readMetrics(adminOrigin);
  return ['connection', 'limits'].every(
    (use) => sumOf(metrics, 'gatehouse_store_use_up', `use="${use}"`) === 1,
  );
}

function slower(well: readonly Seen[], ill: readonly Seen[]): Outcome {
  const [before, during] = [within(well, 0.99), within(ill, 0.99)];
  const line = `p99 rises by less than ${BUDGET_MS} ms: from ${before.toFixed(1)} to ${during.toFixed(1)}`;
  return { kept: during - before < BUDGET_MS, line };
}

function noneBroken(seen: readonly Seen[]): Outcome {
  const { 200: _ok, '429 rate-limited': _limited, ...others } = kindsOf(seen);
  const kept = Object.keys(others).length === 0;
  return {
    kept,
    line: `all are served or over the limit: ${seen.length} requests, others: ${textOf(others)}`,
  };
}

/** Each time that Redis is given up, and each time that it has forgotten, a bucket begins full. */
function admitted(
  seen: readonly Seen[],
  {
    seconds,
    switches,
    forgets,
  }: { readonly seconds: number; readonly switches: number; readonly forgets: boolean },
): Outcome {
  const most = USERS * (RATE * seconds + BURST * (2 + switches + (forgets ? 1 : 0)));
  const count = kindsOf(seen)['200'] ?? 0;
  const line = `admitted ${count} in ${seconds.toFixed(1)} s, of ${seen.length}: at most ${most.toFixed(0)} by the limit and the bursts`;
  return { kept: count > 0 && count <= most, line };
}
