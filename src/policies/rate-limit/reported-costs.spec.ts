import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { createExchange } from '../../../test/support/exchange.ts';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { closeRedis, createRedis, lineOf, whenReady } from '../../store/redis.ts';
import { StoreGuard } from '../../store/store-guard.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
const RULE = { key: 'global', rate: 10, per: '1h', cost: { answerHeader: 'x-cost', ahead: 1 } } as const;

describe('what a service reports while Redis is away', () => {
  let server: RedisServer;
  let redis: ReturnType<typeof createRedis>;
  let guard: StoreGuard;
  let main: RedisTokenBucket;

  beforeAll(async () => {
    server = await startRedis();
    redis = createRedis(server.url, SILENT);
    guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 1000, line: lineOf(redis) });
    main = new RedisTokenBucket(redis, guard);
    await whenReady(redis, 10_000);
    await server.kill();
    while (guard.available) await setTimeout(5);
  });
  afterAll(async () => {
    main.close();
    guard.close();
    closeRedis(redis);
    await server.stop();
  });

  it.each([
    ['local', 5],
    ['open', 10],
  ] as const)('counts where requests are counted, and is kept: %s', async (onStoreError, left) => {
    const local = new MemoryTokenBucket({ now: () => 0 });
    const routeId = `reported-${onStoreError}`;
    const rateLimit = rateLimitPolicy.schema.parse({ ...RULE, onStoreError });
    const stage = new RateLimitStageFactory(main, local).compile({
      routeId,
      door: 'proxy',
      policies: { rateLimit },
    });
    const exchange = createExchange();
    const before = main.kept;
    await stage?.enter?.(exchange);
    stage?.head?.(exchange, { status: 200, headers: ['x-cost', '5'] });
    const rule = { rate: 10, perMs: 3_600_000, burst: 10 };
    expect(local.peek(`${routeId}:global/3600000:{all}`, rule, 1).remaining).toBe(left);
    expect(main.kept - before).toBe(1);
  });
});
