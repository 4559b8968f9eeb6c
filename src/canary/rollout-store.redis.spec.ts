import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { StoreGuard } from '../store/store-guard.ts';
import { RedisRolloutStore } from './rollout-store.redis.ts';
import { BEGINNING, changeBetween } from './rollout-state.ts';
import { Tally } from './tally.ts';

let server: RedisServer;
let redis: Redis;
let guard: StoreGuard;
beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
  guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000, probeAfterMs: 60_000 });
});
afterAll(async () => {
  guard.close();
  await server.stop();
});

it('leaves out changes that are none, whoever has written them, and leads nobody on by a state that is none', async () => {
  const change = changeBetween([BEGINNING, { ...BEGINNING, step: 1 }], {
    by: 'gateway',
    weight: 0.1,
    measured: new Tally(),
  });
  const nonsense = ['null', '3', '[]', '{', '{"to":"aborted"}', JSON.stringify({ ...change, weight: 'x' })];
  await redis.rpush('canary:{x}:changes', ...nonsense, JSON.stringify(change));
  await redis.hset('canary:{x}', { status: 'what', step: 'no', version: '' });
  const synced = await new RedisRolloutStore(redis, guard).sync('x', BEGINNING, new Tally());
  expect(synced).toMatchObject({
    state: { status: 'paused', step: 0, version: 0, reason: '' },
    changes: [change],
  });
  expect(synced?.changes).toHaveLength(1);
});
