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

describe('quietSentinels', () => {
  it('has the errors of each connection to a Sentinel heard, which the library prints else', () => {
    const { connector } = redis as unknown as Listening;
    const clients = (connector.failoverDetector?.sentinels ?? []).map(({ client }) => client);
    expect(clients.map((client) => client.listenerCount('error'))).toEqual([1, 1, 1]);
  });

  it('leads to the master', async () => {
    expect(await redis.role()).toEqual(expect.arrayContaining(['master']));
    expect(redis.stream.remotePort).toBe(group.nodes[0]?.port);
  });
});
