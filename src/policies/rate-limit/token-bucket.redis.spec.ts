import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { setTimeout } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { createRedis, closeRedis, whenReady } from '../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../store/store-guard.ts';
import type { BucketRule } from './rate-limiter.ts';
import { TOKEN_BUCKET_SCRIPT } from './token-bucket.lua.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';
import { takeFrom, type Bucket } from './token-bucket.ts';

const HOUR_MS = 3_600_000;
const CLOCK = /local time = .*\nlocal now = .*\n/;
const SILENT = { info: () => undefined, warn: () => undefined };

/** The production script with its clock, and nothing else, replaced by an argument. */
const CLOCKLESS_SCRIPT = TOKEN_BUCKET_SCRIPT.replace(CLOCK, 'local now = tonumber(ARGV[5])\n');

/** A repeatable source of numbers below 1 (mulberry32). */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('RedisTokenBucket', () => {
  let server: RedisServer;
  let plain: Redis;
  const opened: { redis: Redis; guard: StoreGuard }[] = [];

  beforeAll(async () => {
    server = await startRedis();
    plain = server.client();
  });

  afterEach(async () => {
    server.resume();
    for (const { redis, guard } of opened.splice(0)) {
      guard.close();
      closeRedis(redis);
    }
    await plain.flushall();
  });

  afterAll(() => server.stop());

  /** Opens a limiter on a connection of its own, as another replica would. */
  async function replica(budgetMs = 10_000, now?: () => number): Promise<RedisTokenBucket> {
    const redis = createRedis(server.url, SILENT);
    const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs, probeAfterMs: 60_000 });
    opened.push({ redis, guard });
    expect(await whenReady(redis, 10_000)).toBe(true);
    return new RedisTokenBucket(redis, guard, now);
  }

  async function scriptCalls(): Promise<number> {
    const stats = await plain.info('commandstats');
    return [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  }

  async function clockless(key: string, rule: BucketRule, cost: number, now: number): Promise<unknown> {
    const { rate, perMs, burst } = rule;
    const reply = await plain.eval(CLOCKLESS_SCRIPT, 1, key, rate, perMs, burst, cost, now);
    return (reply as number[]).slice(0, 4);
  }

  it.each([1, 2, 3])('decides as the in-process bucket does, whatever happens (seed %i)', async (seed) => {
    expect(CLOCKLESS_SCRIPT).not.toContain('TIME');
    const random = randomness(seed);
    const pick = (...choices: number[]): number => choices[Math.floor(random() * choices.length)] ?? 1;
    for (let sequence = 0; sequence < 20; sequence += 1) {
      const burst = pick(1, 2, 3, 10, 1000, 1e9);
      const rule = { rate: pick(1, 3, 7, 60, 1e6), perMs: pick(1, 7, 1000, 60_000, HOUR_MS), burst };
      let now = 1.79e12;
      const bucket: Bucket = { tokens: burst, lastRefill: now };
      for (let step = 0; step < 50; step += 1) {
        // One step in twenty goes back in time.
        now += Math.floor(random() * pick(1, 50, 5000, 1e6)) * (random() < 0.05 ? -1 : 1);
        const cost = Math.min(burst, pick(1, 1, 1, 2, 5, 1e8)) * (random() < 0.1 ? -1 : 1);
        const reply = await clockless(`differential:${String(sequence)}`, rule, cost, now);
        const { allowed, remaining, resetMs, retryAfterMs } = takeFrom(bucket, rule, cost, now);
        expect(reply).toEqual([allowed ? 1 : 0, remaining, resetMs, retryAfterMs]);
      }
      // The expiry is in real time, so the state is compared as long as the key cannot have expired.
      await plain.del(`differential:${String(sequence)}`);
    }
  });

  it('admits rate x time + burst of twice the rate, exactly', async () => {
    const rule = { rate: 10, perMs: 1000, burst: 5 };
    let admitted = 0;
    for (let now = 0; now <= 60_000; now += 50) {
      const [allowed] = (await clockless('double', rule, 1, 1.79e12 + now)) as number[];
      admitted += allowed ?? 0;
    }
    expect(admitted).toBe(60 * 10 + 5);
  });

  it('never admits more than the capacity to several replicas at once', async () => {
    const rule = { rate: 60, perMs: HOUR_MS, burst: 60 };
    const replicas = await Promise.all([1, 2, 3, 4].map(() => replica()));
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, (_, call) => replicas[call % 4]?.take('shared', rule, 1)),
    );
    expect(outcomes.filter((outcome) => typeof outcome === 'object' && outcome.allowed)).toHaveLength(60);
  });

  it('admits no more than rate x time + burst by the clock of Redis', async () => {
    const rule = { rate: 200, perMs: 1000, burst: 20 };
    const replicas = await Promise.all([1, 2, 3].map(() => replica()));
    const nowMs = async (): Promise<number> => {
      const [seconds, micros] = await plain.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    const startedAt = await nowMs();
    let admitted = 0;
    let elapsedMs = 0;
    while (elapsedMs < 500) {
      const outcomes = await Promise.all(
        replicas.flatMap((each) => [1, 2, 3].map(() => each.take('flow', rule, 1))),
      );
      admitted += outcomes.filter((outcome) => typeof outcome === 'object' && outcome.allowed).length;
      elapsedMs = (await nowMs()) - startedAt;
    }
    expect(admitted).toBeGreaterThan(20);
    expect(admitted).toBeLessThanOrEqual(Math.ceil((elapsedMs + 1) * 0.2) + 20);
  });

  it('keeps tokens and last_refill under ratelimit:{key}, which expires no earlier than it is full', async () => {
    const limiter = await replica();
    await limiter.take('orders:0:ip:1.2.3.4', { rate: 3, perMs: 10_000, burst: 10 }, 4);
    const { tokens, last_refill } = await plain.hgetall('ratelimit:orders:0:ip:1.2.3.4');
    expect(tokens).toBe('6');
    expect(last_refill).toMatch(/^\d{13}$/);
    const expiresAt = Number(await plain.call('PEXPIRETIME', 'ratelimit:orders:0:ip:1.2.3.4'));
    expect(expiresAt - Number(last_refill)).toBeGreaterThanOrEqual(33_334);
    await limiter.take('tiny', { rate: 1000, perMs: 1, burst: 1 }, 1);
    const tinyExpiresAt = Number(await plain.call('PEXPIRETIME', 'ratelimit:tiny'));
    const tinySetAt = Number(await plain.hget('ratelimit:tiny', 'last_refill'));
    expect(tinyExpiresAt - tinySetAt).toBeGreaterThanOrEqual(1000);
  });

  it('leaves no key without an expiry after many random calls', async () => {
    const limiter = await replica();
    const random = randomness(7);
    const calls = Array.from({ length: 2000 }, () => {
      const burst = 1 + Math.floor(random() * 50);
      const rule = {
        rate: 1 + Math.floor(random() * 1000),
        perMs: 1 + Math.floor(random() * HOUR_MS),
        burst,
      };
      const key = `random:${String(Math.floor(random() * 200))}`;
      if (random() < 0.1) return limiter.refund(key, rule, 1);
      return limiter.take(key, rule, 1 + Math.floor(random() * burst));
    });
    await Promise.all(calls);
    const keys = await plain.keys('*');
    expect(keys.length).toBeGreaterThan(100);
    const expiries = await Promise.all(keys.map((key) => plain.pttl(key)));
    expect(expiries.filter((ms) => ms === -1)).toEqual([]);
  });

  it('goes on after SCRIPT FLUSH', async () => {
    const limiter = await replica();
    const rule = { rate: 10, perMs: HOUR_MS, burst: 10 };
    for (let left = 9; left >= 5; left -= 1) {
      expect(await limiter.take('flushed', rule, 1)).toMatchObject({ allowed: true, remaining: left });
      await plain.script('FLUSH');
    }
    const burst = await Promise.all([1, 2, 3].map(() => limiter.take('flushed', rule, 1)));
    expect(burst.map((outcome) => typeof outcome === 'object' && outcome.remaining)).toEqual([4, 3, 2]);
  });

  describe('with several takes in one turn', () => {
    const rule = { rate: 100, perMs: HOUR_MS, burst: 100 };

    it('asks once for each rule and each 64 of them', async () => {
      const limiter = await replica();
      await limiter.take('first', rule, 1);
      const before = await scriptCalls();
      const takes = Array.from({ length: 130 }, (_, index) => limiter.take(`bucket:${index % 100}`, rule, 1));
      const others = [limiter.take('bucket:0', { ...rule, rate: 1 }, 1), limiter.take('bucket:1', rule, 5)];
      const outcomes = await Promise.all([...takes, ...others]);
      expect((await scriptCalls()) - before).toBe(3 + 2);
      const left = outcomes.map((outcome) => typeof outcome === 'object' && outcome.remaining);
      expect(left).toEqual([...Array(100).fill(99), ...Array(30).fill(98), 97, 93]);
    });

    it('replaces what is no bucket under a key of ours, which says nothing about the others', async () => {
      const limiter = await replica();
      await plain.set('ratelimit:text', 'not a bucket');
      await plain.hset('ratelimit:b', { tokens: 'nan', last_refill: '-inf' });
      const one = { rate: 1, perMs: HOUR_MS, burst: 1 };
      const keys = ['a', 'text', 'a', 'b'];
      const outcomes = await Promise.all(keys.map((key) => limiter.take(key, one, 1)));
      const allowed = outcomes.map((outcome) => (typeof outcome === 'object' ? outcome.allowed : outcome));
      expect(allowed).toEqual([true, true, false, true]);
    });

    it('asks for each bucket by itself where a cluster keeps them apart', async () => {
      const cluster = await startRedis(true);
      const redis = createRedis(cluster.url, SILENT);
      const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
      try {
        expect(await whenReady(redis, 10_000)).toBe(true);
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
        while (!String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
          await setTimeout(10);
        const limiter = new RedisTokenBucket(redis, guard);
        await redis.set('ratelimit:text', 'not a bucket');
        for (const left of [99, 98]) {
          const keys = ['a', 'b', 'text', 'c'];
          const outcomes = await Promise.all(keys.map((key) => limiter.take(key, rule, 1)));
          const remaining = outcomes.map((outcome) => (typeof outcome === 'object' ? outcome.remaining : -1));
          expect(remaining).toEqual([left, left, left, left]);
        }
      } finally {
        guard.close();
        closeRedis(redis);
        await cluster.stop();
      }
    });
  });

  describe('with a refusal in mind', () => {
    const rule = { rate: 1, perMs: HOUR_MS, burst: 1 };
    let now = 0;

    async function refused(): Promise<RedisTokenBucket> {
      now = 0;
      const limiter = await replica(10_000, () => now);
      await limiter.take('k', rule, 1);
      expect(await limiter.take('k', rule, 1)).toMatchObject({ allowed: false });
      return limiter;
    }

    it('repeats it without asking Redis', async () => {
      const limiter = await refused();
      const before = await scriptCalls();
      now = 99;
      expect(limiter.take('k', rule, 1)).toMatchObject({ allowed: false, limit: 1, remaining: 0 });
      expect(await scriptCalls()).toBe(before);
    });

    it('counts down what the client is told', async () => {
      const limiter = await refused();
      const early = await limiter.take('k', rule, 1);
      now = 60;
      const late = await limiter.take('k', rule, 1);
      if (typeof early !== 'object' || typeof late !== 'object') throw new Error('no decision');
      expect(early.retryAfterMs - late.retryAfterMs).toBe(60);
      expect(early.resetMs - late.resetMs).toBe(60);
    });

    it('asks again soon, and sees a bucket that was deleted', async () => {
      const limiter = await refused();
      await plain.del('ratelimit:k');
      now = 100;
      expect(await limiter.take('k', rule, 1)).toMatchObject({ allowed: true });
    });

    it('asks for a request that costs less, or under another rule', async () => {
      const limiter = await refused();
      expect(limiter.take('k', { ...rule, rate: 2 }, 1)).toBeInstanceOf(Promise);
      await limiter.take('dear', { ...rule, burst: 5 }, 3);
      const five = { ...rule, burst: 5 };
      expect(await limiter.take('dear', five, 3)).toMatchObject({ allowed: false, remaining: 2 });
      expect(limiter.take('dear', five, 4)).toMatchObject({ allowed: false });
      expect(await limiter.take('dear', five, 2)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('asks again before Redis would let the request pass', async () => {
      now = 0;
      const limiter = await replica(10_000, () => now);
      const quick = { rate: 1, perMs: 50, burst: 1 };
      await limiter.take('quick', quick, 1);
      const refusal = await limiter.take('quick', quick, 1);
      if (typeof refusal !== 'object' || refusal.allowed) return;
      now = refusal.retryAfterMs - 1;
      expect(limiter.take('quick', quick, 1)).toBeInstanceOf(Promise);
    });
  });

  it('answers STORE_UNAVAILABLE for a stalled Redis, then without asking', async () => {
    const limiter = await replica(10);
    const rule = { rate: 10, perMs: HOUR_MS, burst: 10 };
    server.pause();
    for (let call = 0; call < 3; call += 1) {
      expect(await limiter.take(`stalled:${String(call)}`, rule, 1)).toBe(STORE_UNAVAILABLE);
    }
    expect(limiter.take('stalled:3', rule, 1)).toBe(STORE_UNAVAILABLE);
  });

  it('answers STORE_UNAVAILABLE for a Redis that says no', async () => {
    const limiter = await replica();
    const rule = { rate: 1, perMs: HOUR_MS, burst: 1 };
    await plain.config('SET', 'maxmemory', '1');
    try {
      expect(await limiter.take('no memory', rule, 1)).toBe(STORE_UNAVAILABLE);
      const takes = ['a', 'b'].map((bucketKey) => ({ bucketKey, rule, cost: 1 }));
      expect(await limiter.takeAll(takes)).toEqual([STORE_UNAVAILABLE, STORE_UNAVAILABLE]);
    } finally {
      await plain.config('SET', 'maxmemory', '0');
    }
  });
});
