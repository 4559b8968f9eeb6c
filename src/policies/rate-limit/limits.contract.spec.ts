import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import type { LimitDecision } from '../../exchange/exchange.ts';
import { StoreGuard } from '../../store/store-guard.ts';
import { LimitModel } from './limit-model.fixture.ts';
import { LimiterTally } from './limiter-tally.ts';
import { LIMITS_SCRIPT } from './limits.lua.ts';
import type { BucketRule, LimitAlgorithm, RateLimiter, Take, TakeOutcome } from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

const CLOCK = /local time = .*\nlocal now = .*\n/;
const START = 1_790_000_000_123;

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

const ALGORITHMS: readonly (readonly [string, LimitAlgorithm, number])[] = [
  ['a token bucket', 'tokenBucket', 7],
  ['a fixed window', 'fixedWindow', 7],
  ['a sliding window, by log', 'slidingWindow', 7],
  ['a sliding window of the longest log', 'slidingWindow', 100],
  ['a sliding window, by counters', 'slidingWindow', 120],
];

/** A limiter under the contract, on a clock that the test turns. */
interface Subject {
  readonly limiter: RateLimiter;
  turn(ms: number): Promise<void>;
  stop(): Promise<void>;
}

let now = START;

function inProcess(): Subject {
  return {
    limiter: new MemoryTokenBucket({ now: () => now }),
    turn: async (ms) => void (now += ms),
    stop: async () => undefined,
  };
}

/** Turns the clock. What expires by the clock of the machine would expire by that of the test. */
const TURN = `
  redis.call('SET', 'clock', ARGV[1])
  for _, key in ipairs(redis.call('KEYS', 'ratelimit:*')) do redis.call('PERSIST', key) end`;

/** Redis with the production script, whose clock, and nothing else, is read from a key that the test writes. */
async function inRedis(): Promise<Subject> {
  const server: RedisServer = await startRedis();
  const redis = server.client();
  const define = redis.defineCommand.bind(redis);
  const clock = `local now = tonumber(redis.call('GET', 'clock'))\n`;
  redis.defineCommand = (name, definition) =>
    define(name, { ...definition, lua: definition.lua.replace(CLOCK, clock) });
  const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
  // Refusals are never remembered: the clock that tells how old they are runs on for a second each time it is read.
  let own = 0;
  const limiter = new RedisTokenBucket(redis, guard, () => (own += 1000));
  await redis.set('clock', now);
  return {
    limiter,
    turn: async (ms) => {
      now += ms;
      await redis.eval(TURN, 0, now);
    },
    stop: async () => {
      guard.close();
      await server.stop();
    },
  };
}

let cluster: RedisServer;
// Before all others: it takes two seconds until it serves anybody.
beforeAll(async () => {
  cluster = await startRedis(true);
  await cluster.client().call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
});
afterAll(() => cluster.stop());

it('has a clock in the script that tests can replace', () => {
  expect(LIMITS_SCRIPT).toMatch(CLOCK);
});

describe.each<[string, () => Subject | Promise<Subject>]>([
  ['in process', inProcess],
  ['in Redis', inRedis],
])('limits %s', (_where, start) => {
  let subject: Subject;
  let nextKey = 0;

  beforeAll(async () => {
    now = START;
    subject = await start();
  });
  afterAll(() => subject.stop());

  const newKey = (): string => `contract:${String((nextKey += 1))}`;

  const decided = (outcome: TakeOutcome | undefined): LimitDecision => {
    if (typeof outcome !== 'object') throw new Error('the store did not answer');
    return outcome;
  };
  const take = async (key: string, rule: BucketRule, cost = 1): Promise<LimitDecision> =>
    decided((await subject.limiter.takeAll([{ bucketKey: key, rule, cost }]))[0]);
  const takeAll = async (takes: readonly Take[]): Promise<readonly LimitDecision[]> =>
    (await subject.limiter.takeAll(takes)).map(decided);

  describe.each(ALGORITHMS)('%s', (_name, algorithm, limit) => {
    const rule: BucketRule = { rate: limit, perMs: 1000, burst: limit, algorithm };

    it('decides as the model does, whatever happens', async () => {
      const random = randomness(limit);
      for (let sequence = 0; sequence < 3; sequence += 1) {
        const key = newKey();
        const model = new LimitModel(rule);
        for (let step = 0; step < 60; step += 1) {
          const most = [2, 60, 400, 2500][Math.floor(random() * 4)] ?? 1;
          await subject.turn(Math.floor(random() * most));
          const cost = Math.max(1, Math.floor(random() * random() * limit));
          const decision = await take(key, rule, cost);
          const left = Math.floor(model.left(now) + 1e-6);
          expect({ step, allowed: decision.allowed }).toEqual({ step, allowed: model.take(cost, now) });
          if (!decision.allowed) expect(decision.remaining).toBe(left);
          else expect(decision.remaining).toBe(Math.floor(model.left(now) + 1e-6));
        }
      }
    });

    it('keeps its word about when to come back, and never says later than it need be', async () => {
      const random = randomness(limit + 1);
      const key = newKey();
      for (let round = 0; round < 12; round += 1) {
        const cost = 1 + Math.floor(random() * (limit - 1));
        await subject.turn(Math.floor(random() * 700));
        const decision = await take(key, rule, cost);
        if (decision.allowed) continue;
        expect(decision.retryAfterMs).toBeGreaterThanOrEqual(1);
        if (decision.retryAfterMs > 1) {
          await subject.turn(decision.retryAfterMs - 1);
          expect((await take(key, rule, cost)).allowed).toBe(false);
        }
        await subject.turn(decision.retryAfterMs > 1 ? 1 : decision.retryAfterMs);
        expect((await take(key, rule, cost)).allowed).toBe(true);
      }
    });

    it('is full again when it says so', async () => {
      const key = newKey();
      const { resetMs } = await take(key, rule, limit);
      await subject.turn(resetMs);
      expect(await take(key, rule, limit)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('never counts what it refuses', async () => {
      const key = newKey();
      await take(key, rule, limit);
      const { retryAfterMs } = await take(key, rule);
      for (let knock = 0; knock < 20; knock += 1) expect((await take(key, rule)).allowed).toBe(false);
      await subject.turn(retryAfterMs);
      expect((await take(key, rule)).allowed).toBe(true);
    });

    it('mints nothing and lets nobody wait when the clock goes back', async () => {
      const key = newKey();
      await take(key, rule, limit);
      await subject.turn(-500_000);
      expect((await take(key, rule)).allowed).toBe(false);
      await subject.turn(2000);
      expect((await take(key, rule, limit)).allowed).toBe(true);
    });

    it('takes back what is put back, and is charged what was used already', async () => {
      const key = newKey();
      await take(key, rule, limit);
      subject.limiter.refund(key, rule, 2);
      expect(await take(key, rule, 3)).toMatchObject({ allowed: false, remaining: 2 });
      subject.limiter.charge(key, rule, 2);
      expect(await take(key, rule)).toMatchObject({ allowed: false, remaining: 0 });
      subject.limiter.refund(key, rule, limit * 10);
      expect(await take(key, rule, limit)).toMatchObject({ allowed: true, remaining: 0 });
      subject.limiter.charge(key, rule, 1e9);
      // Whoever comes next travels behind it.
      await take(newKey(), rule);
      // A bucket owes its burst at most, and of a window only this one is full.
      await subject.turn(1000);
      expect((await take(key, rule)).allowed).toBe(algorithm !== 'tokenBucket');
      await subject.turn(1000);
      expect((await take(key, rule, algorithm === 'tokenBucket' ? limit : 1)).allowed).toBe(true);
    });

    it('takes from all of several limits or from none', async () => {
      const [own, other, tight] = [newKey(), newKey(), newKey()];
      const one = { rate: 1, perMs: 3_600_000, burst: 1, algorithm };
      const takes = [
        { bucketKey: own, rule, cost: 2 },
        { bucketKey: tight, rule: one, cost: 1 },
        { bucketKey: other, rule, cost: 3 },
      ];
      expect((await takeAll(takes)).map(({ remaining }) => remaining)).toEqual([limit - 2, 0, limit - 3]);
      for (let call = 0; call < 10; call += 1) {
        const outcomes = await takeAll(takes);
        expect(outcomes.map(({ allowed }) => allowed)).toEqual([true, false, true]);
        expect(outcomes.map(({ remaining }) => remaining)).toEqual([limit - 2, 0, limit - 3]);
      }
    });

    it('costs nothing where a request is worth nothing', async () => {
      const key = newKey();
      await take(key, rule, limit);
      expect(await take(key, rule, 0)).toMatchObject({ allowed: true, remaining: 0 });
    });
  });
});

describe('limits in Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let guard: StoreGuard;
  let limiter: RedisTokenBucket;
  const rules = ALGORITHMS.map(([, algorithm, rate]) => ({ rate, perMs: 3_600_000, burst: rate, algorithm }));

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
    guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
    limiter = new RedisTokenBucket(redis, guard);
  });
  afterAll(async () => {
    guard.close();
    await server.stop();
  });

  async function scriptCalls(): Promise<number> {
    const stats = await redis.info('commandstats');
    return [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  }

  it('are taken in one round trip, those of many requests in one turn too, and expire', async () => {
    const takes = (who: number): Take[] =>
      rules.map((rule, i) => ({ bucketKey: `r:${i}:{${who}}`, rule, cost: 1 }));
    await limiter.takeAll(takes(0));
    const before = await scriptCalls();
    const all = await Promise.all(Array.from({ length: 12 }, (_, who) => limiter.takeAll(takes(who + 1))));
    expect((await scriptCalls()) - before).toBe(1);
    expect(all.flat().every((one) => typeof one === 'object' && one.allowed)).toBe(true);
    const keys = await redis.keys('ratelimit:*');
    expect(keys).toHaveLength(13 * rules.length);
    const expiries = await Promise.all(keys.map((key) => redis.pttl(key)));
    expect(expiries.filter((ms) => ms < 1000)).toEqual([]);
  });

  it.each(rules.map((rule, i) => [i, rule] as const))(
    'replace what is something else under their key (%i)',
    async (i, rule) => {
      const key = `odd:${String(i)}`;
      for (const damage of [
        () => redis.set(`ratelimit:${key}`, 'text'),
        () => redis.sadd(`ratelimit:${key}`, 'a'),
        () => redis.zadd(`ratelimit:${key}`, 1, 'a'),
        () =>
          redis.hset(`ratelimit:${key}`, {
            tokens: 'nan',
            last_refill: 'inf',
            start: 'x',
            count: 'inf',
            previous: 'nan',
          }),
        () => redis.flushall(),
      ]) {
        await redis.del(`ratelimit:${key}`);
        await damage();
        const [outcome] = await limiter.takeAll([{ bucketKey: key, rule, cost: 1 }]);
        expect(outcome).toMatchObject({ allowed: true, remaining: rule.burst - 1 });
      }
    },
  );

  /** What stands under a key, and how much is left of a burst of seven after a request of one. */
  it.each<[string, LimitAlgorithm, Record<string, string> | readonly string[], number, number]>([
    ['tokens that are none', 'tokenBucket', { tokens: 'nan', last_refill: '1' }, 6, 1],
    ['no moment', 'tokenBucket', { tokens: '3', last_refill: 'inf' }, 6, 1],
    ['half a bucket', 'tokenBucket', { tokens: '3' }, 6, 1],
    ['more tokens than fit', 'tokenBucket', { tokens: '1e99', last_refill: '1' }, 6, 0],
    ['a count below nothing', 'fixedWindow', { start: '0', count: '-1e9', previous: '0' }, 6, 1],
    ['an endless count', 'fixedWindow', { start: '0', count: 'inf', previous: '0' }, 6, 1],
    ['a window that never began', 'fixedWindow', { start: 'nan', count: '7', previous: '0' }, 6, 1],
    ['a time that is none', 'slidingWindow', ['nan'], 6, 1],
    ['times that are none beside others', 'slidingWindow', ['1', 'inf', '2'], 6, 1],
    ['another type', 'slidingWindow', { tokens: '1' }, 6, 1],
    ['another type', 'fixedWindow', ['1'], 6, 1],
    ['another type', 'tokenBucket', ['1'], 6, 1],
  ])('begin anew where there is %s (%s)', async (_what, algorithm, found, left, repaired) => {
    const rule = { rate: 7, perMs: 3_600_000, burst: 7, algorithm };
    const tally = new LimiterTally();
    const own = new RedisTokenBucket(redis, guard, undefined, tally);
    for (const take of [
      async (bucketKey: string) => own.take(bucketKey, rule, 1),
      async (bucketKey: string) => (await own.takeAll([{ bucketKey, rule, cost: 1 }]))[0],
    ]) {
      const before = tally.repaired;
      const bucketKey = `found:${String(Math.random())}`;
      if (Array.isArray(found)) await redis.rpush(`ratelimit:${bucketKey}`, ...(found as string[]));
      else await redis.hset(`ratelimit:${bucketKey}`, found as Record<string, string>);
      expect(await take(bucketKey)).toMatchObject({ allowed: true, remaining: left });
      expect(tally.repaired - before).toBe(repaired);
      expect(await take(bucketKey)).toMatchObject({ remaining: left - 1 });
      expect(tally.repaired - before).toBe(repaired);
    }
  });

  it('owe no more than their burst, whatever is there', async () => {
    const rule = { rate: 1000, perMs: 1, burst: 5 };
    await redis.hset('ratelimit:deep', { tokens: '-1e300', last_refill: '1' });
    expect(await limiter.takeAll([{ bucketKey: 'deep', rule, cost: 1 }])).toMatchObject([{ allowed: true }]);
  });

  it('are put back where a cluster keeps them apart and one refuses', async () => {
    const client = cluster.client();
    const own = new StoreGuard({ probe: () => client.ping(), budgetMs: 10_000 });
    try {
      while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
        await new Promise((resolve) => setTimeout(resolve, 10));
      // Refusals are not remembered.
      let clock = 0;
      const apart = new RedisTokenBucket(client, own, () => (clock += 1000));
      const wide = { rate: 10, perMs: 3_600_000, burst: 10 };
      const tight = { ...wide, rate: 1, burst: 1 };
      const takes = [
        { bucketKey: 'r:0:{a}', rule: wide, cost: 1 },
        { bucketKey: 'r:1:{b}', rule: tight, cost: 1 },
      ];
      const left = [];
      for (let call = 0; call < 4; call += 1) left.push(await apart.takeAll(takes));
      const allowed = left.map((one) => one.map((each) => typeof each === 'object' && each.allowed));
      expect(allowed).toEqual([
        [true, true],
        [true, false],
        [true, false],
        [true, false],
      ]);
      expect(await redisLeft(apart, 'r:0:{a}', wide)).toBe(8);
    } finally {
      own.close();
    }
  });
});

async function redisLeft(limiter: RateLimiter, key: string, rule: BucketRule): Promise<number> {
  const outcome = await limiter.take(key, rule, 1);
  return typeof outcome === 'object' ? outcome.remaining : -1;
}
