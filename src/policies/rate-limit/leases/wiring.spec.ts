import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { setTimeout } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { Replicas } from '../../../store/replicas.ts';
import { StoreModule } from '../../../store/store.module.ts';
import { RateLimitModule } from '../rate-limit.module.ts';
import {
  LOCAL_RATE_LIMITER,
  PROCESS_RATE_LIMITER,
  RATE_LIMITER,
  type LocalRateLimiter,
  type RateLimiter,
  type TakeOutcome,
} from '../rate-limiter.ts';

const HOUR_MS = 3_600_000;
const SILENT = { info: () => undefined, warn: () => undefined };
const LEASED = { rate: 10_000, perMs: HOUR_MS, burst: 10_000, precision: 'leased' } as const;

describe('the limiters of a gateway', () => {
  let server: RedisServer;
  const apps: TestingModule[] = [];

  beforeEach(async () => {
    server = await startRedis();
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await server.stop();
  });

  async function gateway(redisUrl: string | undefined): Promise<TestingModule> {
    const imports = [StoreModule.forRoot({ redisUrl, budgetMs: 1000, log: SILENT }), RateLimitModule];
    const app = await Test.createTestingModule({ imports }).compile();
    apps.push(app);
    return app.init();
  }

  it('with Redis divide what they let pass while it is gone by how many there are', async () => {
    const [one, other] = [await gateway(server.url), await gateway(server.url)];
    const local: LocalRateLimiter = one.get(LOCAL_RATE_LIMITER);
    const rule = { rate: 10, perMs: HOUR_MS, burst: 10 };
    while (one.get(Replicas).count < 2) await setTimeout(10);
    await server.kill();
    expect(local.take('k', rule, 1)).toMatchObject({ allowed: true, limit: 5, remaining: 4 });
    await other.close();
    expect(local.take('k', rule, 1)).toMatchObject({ limit: 5 });
    // What each process counts for itself stays whole.
    const own: LocalRateLimiter = one.get(PROCESS_RATE_LIMITER);
    expect(own.take('another', rule, 1)).toMatchObject({ limit: 10, remaining: 9 });
  });

  it('give back at the end what they have reserved', async () => {
    const app = await gateway(server.url);
    const limiter: RateLimiter = app.get(RATE_LIMITER);
    const plain = server.client();
    const take = async (): Promise<TakeOutcome> => limiter.take('hot', LEASED, 1);
    let taken = 0;
    for (; (await plain.hlen('ratelimit:hot')) < 3; taken += 20)
      for (let call = 0; call < 20; call += 1) expect(await take()).toMatchObject({ allowed: true });
    await app.close();
    expect(await plain.hkeys('ratelimit:hot')).toEqual(['tokens', 'last_refill']);
    expect(Number(await plain.hget('ratelimit:hot', 'tokens'))).toBeGreaterThanOrEqual(10_000 - taken);
    expect(await plain.zcard('gatehouse:replicas')).toBe(0);
  });

  it('without Redis count whole limits, the leased ones too', async () => {
    const app = await gateway(undefined);
    const limiter: RateLimiter = app.get(RATE_LIMITER);
    expect(limiter).toBe(app.get(LOCAL_RATE_LIMITER));
    expect(limiter.take('k', LEASED, 1)).toMatchObject({ allowed: true, limit: 10_000, remaining: 9999 });
  });
});
