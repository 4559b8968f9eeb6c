import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { closeRedis, createRedis, lineOf, whenReady } from '../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../store/store-guard.ts';
import { KeptCosts } from './kept-costs.ts';
import { LimiterTally } from './limiter-tally.ts';
import type { BucketRule, Take } from './rate-limiter.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

const HOUR_MS = 3_600_000;
const RULE: BucketRule = { rate: 100, perMs: HOUR_MS, burst: 100 };
const SILENT = { info: () => undefined, warn: () => undefined };

describe('costs that are kept while the store is away', () => {
  let now = 0;
  let isAvailable = false;
  let charged: Take[] = [];
  let tally = new LimiterTally();

  const kept = (most?: number): KeptCosts =>
    new KeptCosts({
      charge: (take) => charged.push(take) > 0,
      isAvailable: () => isAvailable,
      now: () => now,
      tally,
      ...(most === undefined ? {} : { most }),
    });

  beforeEach(() => {
    [now, isAvailable, charged, tally] = [0, false, [], new LimiterTally()];
  });

  it('are summed up for each limit, and charged once when it is back', () => {
    const costs = kept();
    for (const cost of [3, 4]) costs.add('a', RULE, cost);
    costs.add('b', RULE, 1);
    costs.settle();
    expect([charged, costs.size]).toEqual([[], 2]);
    isAvailable = true;
    costs.settle();
    expect(charged.map(({ bucketKey, cost }) => [bucketKey, cost])).toEqual([
      ['a', 7],
      ['b', 1],
    ]);
    costs.settle();
    expect([charged.length, costs.size]).toEqual([2, 0]);
  });

  it('are never more than a limit can feel', () => {
    const costs = kept();
    for (let report = 0; report < 1000; report += 1) costs.add('a', RULE, 100);
    isAvailable = true;
    costs.settle();
    expect(charged).toMatchObject([{ cost: 200 }]);
  });

  it.each<[string, BucketRule, number, number | undefined]>([
    ['a bucket has filled up by half', RULE, HOUR_MS / 10, 10],
    ['a bucket has filled up', RULE, HOUR_MS / 5, undefined],
    ['a window goes on', { ...RULE, algorithm: 'fixedWindow' }, HOUR_MS - 1, 20],
    ['a window is over', { ...RULE, algorithm: 'slidingWindow' }, HOUR_MS, undefined],
  ])('are less where %s meanwhile', (_what, rule, elapsedMs, cost) => {
    const costs = kept();
    costs.add('a', rule, 20);
    now += elapsedMs;
    isAvailable = true;
    costs.settle();
    expect(charged.map((take) => take.cost)).toEqual(cost === undefined ? [] : [cost]);
    expect(costs.size).toBe(0);
  });

  it('have room for so many limits, and the oldest is forgotten, and counted', () => {
    const costs = kept(3);
    for (const key of ['a', 'b', 'c', 'b', 'd', 'e']) costs.add(key, RULE, 1);
    expect([costs.size, tally.forgotten]).toEqual([3, 2]);
    isAvailable = true;
    costs.close();
    expect(charged.map(({ bucketKey }) => bucketKey)).toEqual(['c', 'd', 'e']);
  });
});

describe('costs of a Redis that is killed', () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.stop());

  it('are charged when it is back', async () => {
    const redis = createRedis(server.url, SILENT);
    const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 1000, line: lineOf(redis) });
    const limiter = new RedisTokenBucket(redis, guard);
    try {
      expect(await whenReady(redis, 10_000)).toBe(true);
      expect(limiter.charge('k', RULE, 10)).toBeUndefined();
      await server.kill();
      while (guard.available) await setTimeout(5);
      for (const cost of [20, 22]) expect(limiter.charge('k', RULE, cost)).toBe(STORE_UNAVAILABLE);
      expect(limiter.kept).toBe(1);
      await server.restart();
      while (limiter.kept > 0) await setTimeout(5);
      const left = async () => (await limiter.take('k', RULE, 0)) as { readonly remaining: number };
      // It is empty since it was started again: what it had is gone, what was kept is not.
      while ((await left()).remaining === 100) await setTimeout(5);
      expect(await left()).toMatchObject({ remaining: 58 });
    } finally {
      limiter.close();
      guard.close();
      closeRedis(redis);
    }
  });
});
