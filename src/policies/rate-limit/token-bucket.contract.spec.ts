import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import type { LimitDecision } from '../../exchange/exchange.ts';
import { StoreGuard, STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import type { BucketRule, RateLimiter } from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

const HOUR_MS = 3_600_000;

/** A limiter under the contract, and the way to let its time pass. */
interface Subject {
  readonly limiter: RateLimiter;
  wait(ms: number): Promise<void>;
  stop(): Promise<void>;
}

async function inProcess(): Promise<Subject> {
  let now = 1_000_000;
  return {
    limiter: new MemoryTokenBucket({ now: () => now }),
    wait: async (ms) => void (now += ms),
    stop: async () => undefined,
  };
}

async function inRedis(): Promise<Subject> {
  const server: RedisServer = await startRedis();
  const redis = server.client();
  const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
  return {
    limiter: new RedisTokenBucket(redis, guard),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 2)),
    stop: async () => {
      guard.close();
      await server.stop();
    },
  };
}

describe.each([
  ['in process', inProcess],
  ['in Redis', inRedis],
])('a token bucket %s', (_name, start) => {
  let subject: Subject;
  let nextKey = 0;

  beforeAll(async () => {
    subject = await start();
  });

  afterAll(() => subject.stop());

  const newKey = (): string => `contract:${String((nextKey += 1))}`;

  async function take(key: string, rule: BucketRule, cost = 1): Promise<LimitDecision> {
    const outcome = await subject.limiter.take(key, rule, cost);
    if (outcome === STORE_UNAVAILABLE) throw new Error('the store did not answer');
    return outcome;
  }

  async function drain(
    key: string,
    rule: BucketRule,
    cost = 1,
  ): Promise<{ taken: number; refusal: LimitDecision }> {
    for (let taken = 0; ; taken += 1) {
      const outcome = await take(key, rule, cost);
      if (!outcome.allowed) return { taken, refusal: outcome };
    }
  }

  it.each([
    { rate: 1, perMs: HOUR_MS, burst: 1, cost: 1, passes: 1 },
    { rate: 5, perMs: HOUR_MS, burst: 5, cost: 1, passes: 5 },
    { rate: 100, perMs: 24 * HOUR_MS, burst: 7, cost: 1, passes: 7 },
    { rate: 10, perMs: HOUR_MS, burst: 10, cost: 3, passes: 3 },
    { rate: 10, perMs: HOUR_MS, burst: 10, cost: 10, passes: 1 },
    { rate: 1, perMs: 30 * 24 * HOUR_MS, burst: 1e9, cost: 4e8, passes: 2 },
    { rate: 25_000, perMs: 366 * 24 * HOUR_MS, burst: 25_000, cost: 12_500, passes: 2 },
  ])('lets $passes pass of rate $rate, burst $burst, cost $cost', async ({ cost, passes, ...rule }) => {
    expect((await drain(newKey(), rule, cost)).taken).toBe(passes);
  });

  it('says what is left, when it is full, and when to come back', async () => {
    const rule = { rate: 4, perMs: HOUR_MS, burst: 2 };
    const key = newKey();
    const first = await take(key, rule);
    expect(first).toMatchObject({
      allowed: true,
      limit: 2,
      remaining: 1,
      resetMs: HOUR_MS / 4,
      retryAfterMs: 0,
    });
    await take(key, rule);
    const refusal = await take(key, rule);
    expect(refusal).toMatchObject({ allowed: false, limit: 2, remaining: 0 });
    expect(refusal.retryAfterMs).toBeGreaterThan(HOUR_MS / 4 - 60_000);
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(HOUR_MS / 4);
    expect(refusal.resetMs).toBeGreaterThan(HOUR_MS / 2 - 60_000);
    expect(refusal.resetMs).toBeLessThanOrEqual(HOUR_MS / 2);
  });

  it.each([
    { rate: 1, perMs: 50, burst: 1, cost: 1 },
    { rate: 3, perMs: 100, burst: 2, cost: 1 },
    { rate: 7, perMs: 200, burst: 7, cost: 5 },
    { rate: 3, perMs: 1000, burst: 1, cost: 1 },
  ])('keeps its word about when to come back: $rate per $perMs ms, cost $cost', async ({ cost, ...rule }) => {
    const key = newKey();
    for (let round = 0; round < 3; round += 1) {
      const { refusal } = await drain(key, rule, cost);
      expect(refusal.retryAfterMs).toBeGreaterThanOrEqual(1);
      await subject.wait(refusal.retryAfterMs);
      expect((await take(key, rule, cost)).allowed).toBe(true);
    }
  });

  it('never holds more than its burst', async () => {
    const rule = { rate: 1000, perMs: 1000, burst: 3 };
    const key = newKey();
    await drain(key, rule);
    await subject.wait(1200); // Longer than the expiry of the key in a store that has one.
    expect(await take(key, rule)).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('charges nothing for a refusal: who keeps knocking gets in as early as who waits', async () => {
    const rule = { rate: 1, perMs: 120, burst: 1 };
    const key = newKey();
    const { refusal } = await drain(key, rule);
    const step = refusal.retryAfterMs / 8;
    for (let knock = 0; knock < 8; knock += 1) {
      await subject.wait(step);
      if ((await take(key, rule)).allowed) return;
    }
    await subject.wait(1);
    expect((await take(key, rule)).allowed).toBe(true);
  });

  it('lets a cheap request pass where a dear one is refused', async () => {
    const rule = { rate: 10, perMs: HOUR_MS, burst: 10 };
    const key = newKey();
    await take(key, rule, 7);
    expect((await take(key, rule, 5)).allowed).toBe(false);
    expect(await take(key, rule, 3)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('keeps keys apart', async () => {
    const rule = { rate: 1, perMs: HOUR_MS, burst: 1 };
    const [one, other] = [newKey(), newKey()];
    await drain(one, rule);
    expect((await take(other, rule)).allowed).toBe(true);
  });

  it('follows a rule that changes under a key', async () => {
    const key = newKey();
    await take(key, { rate: 10, perMs: HOUR_MS, burst: 10 });
    const smaller = { rate: 2, perMs: HOUR_MS, burst: 2 };
    expect((await drain(key, smaller)).taken).toBe(2);
    const faster = { rate: 1000, perMs: 10, burst: 2 };
    await subject.wait(20);
    expect((await take(key, faster)).allowed).toBe(true);
  });

  it('gives tokens back, and never more than there is room for', async () => {
    const rule = { rate: 4, perMs: HOUR_MS, burst: 4 };
    const key = newKey();
    await drain(key, rule);
    subject.limiter.refund(key, rule, 2);
    expect((await drain(key, rule)).taken).toBe(2);
    subject.limiter.refund(key, rule, 100);
    expect((await drain(key, rule)).taken).toBe(4);
  });

  it('takes nothing to look', async () => {
    const rule = { rate: 2, perMs: HOUR_MS, burst: 2 };
    const key = newKey();
    for (let look = 0; look < 5; look += 1)
      expect(subject.limiter.peek(key, rule, 1)?.allowed).not.toBe(false);
    expect((await drain(key, rule)).taken).toBe(2);
    expect(subject.limiter.peek(key, rule, 1)).toMatchObject({ allowed: false, limit: 2, remaining: 0 });
  });

  it('lets exactly its burst pass when many ask at once', async () => {
    const rule = { rate: 50, perMs: HOUR_MS, burst: 50 };
    const key = newKey();
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => take(key, rule)));
    expect(outcomes.filter(({ allowed }) => allowed)).toHaveLength(50);
  });
});
