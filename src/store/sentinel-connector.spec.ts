import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { startSentinels, type RedisGroup } from '../../test/support/redis-group.ts';
import { closeRedis, createRedis } from './redis.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
let group: RedisGroup;
let redis: Redis;

/** Where the library keeps who listens for failovers. */
interface Listening {
  readonly connector: {
    readonly failoverDetector?: { readonly sentinels: readonly { readonly client: Redis }[] };
  };
}

beforeAll(async () => {
  group = await startSentinels();
  redis = createRedis(group.url, SILENT);
  await once(redis, 'ready');
}, 60_000);
afterAll(async () => {
  closeRedis(redis);
  await group.stop();
});

/** The connections that wait for news of a failover. */
function listeners(): readonly Redis[] {
  const { connector } = redis as unknown as Listening;
  return (connector.failoverDetector?.sentinels ?? []).map(({ client }) => client);
}

describe('sentinelConnector', () => {
  it('has the errors of each connection to a Sentinel heard, which the library prints else', () => {
    expect(listeners().map((client) => client.listenerCount('error'))).toEqual([1, 1, 1]);
  });

  it('leads to the master', async () => {
    expect(await redis.role()).toEqual(expect.arrayContaining(['master']));
    expect(redis.stream.remotePort).toBe(group.nodes[0]?.port);
  });

  it('connects again when news of a failover come while Sentinels are asked for the master', async () => {
    const [listener] = listeners() as [Redis];
    for (const sentinel of group.sentinels ?? []) sentinel.pause();
    const isAsking = new Promise<void>((resolve) => void redis.once('connecting', resolve));
    // As when the master dies: who listens for failovers goes on.
    redis.stream.destroy();
    await isAsking;
    listener.emit('message', '+switch-master', '');
    const isReady = new Promise<string>((resolve) => void redis.once('ready', () => resolve('ready')));
    const hasEnded = new Promise<string>((resolve) => void redis.once('end', () => resolve('end')));
    for (const sentinel of group.sentinels ?? []) sentinel.resume();
    expect(await Promise.race([isReady, hasEnded])).toBe('ready');
  }, 60_000);
});
