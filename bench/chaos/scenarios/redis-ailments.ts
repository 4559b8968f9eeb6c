import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startCluster, startSentinels, type GroupNode } from '../../../test/support/redis-group.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { took } from '../world.ts';

const GIVE_UP_MS = 15_000;
const FAULT_MS = 5000;
const RESET_EVERY_MS = 250;
const SETTLE_MS = 5000;

/** A Redis that can be made ill. */
export interface Patient {
  readonly url: string;
  /** Makes it ill, for as long as it takes; it is well again when that is over. */
  suffer(): Promise<void>;
  /** Makes that possible once more, where it takes something. */
  recover?(): Promise<void>;
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
    let [master, replica] = group.nodes as [GroupNode, GroupNode];
    const suffer = async (): Promise<void> => {
      await master.kill();
      await took(async () => (await said(replica, 'ROLE')).startsWith('master'), GIVE_UP_MS);
    };
    const recover = async (): Promise<void> => {
      [master, replica] = [replica, master];
      await replica.start();
      const isFollowing = async (): Promise<boolean> => {
        await said(replica, 'REPLICAOF', '127.0.0.1', String(master.port));
        return (await said(replica, 'INFO', 'replication')).includes('link_status:up');
      };
      await took(isFollowing, GIVE_UP_MS);
      // Sentinels have to have seen it, and do not fail over again at once.
      await sleep(SETTLE_MS);
    };
    return { url: group.url, suffer, recover, forgets: true, stop: () => group.stop() };
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
