import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../../store/store-guard.ts';
import type { BucketRule, Take } from '../rate-limiter.ts';
import { RedisTokenBucket } from '../token-bucket.redis.ts';
import { LeaseCalls } from './lease-calls.redis.ts';
import { LeasedLimiter } from './leased-limiter.ts';
import { Leases } from './leases.ts';

const HOUR_MS = 3_600_000;

function rule(burst: number, precision: 'exact' | 'leased'): BucketRule {
  return { rate: burst, perMs: HOUR_MS, burst, precision };
}

/** Redis' own buckets by `precision`, each under its key. */
function take(bucketKey: string, of: BucketRule, cost = 1): Take {
  return { bucketKey, rule: of, cost };
}

describe('LeasedLimiter', () => {
  let server: RedisServer;
  let redis: Redis;
  let guard: StoreGuard;
  let limiter: LeasedLimiter;
  let ahead = 0;

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
    guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000, probeAfterMs: 60_000 });
    const calls = new LeaseCalls(redis, { id: 'one', count: 1 });
    const now = (): number => performance.now() + ahead;
    const leases = new Leases({ send: (key, call) => calls.send(key, call), guard, now });
    limiter = new LeasedLimiter(new RedisTokenBucket(redis, guard), leases);
  });

  afterEach(() => redis.flushall());

  afterAll(async () => {
    guard.close();
    await server.stop();
  });

  async function all(...takes: Take[]): Promise<readonly (boolean | undefined)[]> {
    const outcomes = await limiter.takeAll(takes);
    return outcomes.map((outcome) => (typeof outcome === 'object' ? outcome.allowed : undefined));
  }

  /** How many requests of one token still pass. */
  async function left(bucketKey: string, of: BucketRule): Promise<number> {
    ahead += 200; // A refusal that is known is asked again.
    for (let passed = 0; ; passed += 1) {
      const outcome = await limiter.take(bucketKey, of, 1);
      if (typeof outcome !== 'object' || !outcome.allowed) return passed;
    }
  }

  it.each([
    { name: 'neither refuses', few: 5, many: 5, refused: false },
    { name: 'the exact one refuses', few: 5, many: 0, refused: true },
    { name: 'the leased one refuses', few: 0, many: 5, refused: true },
    { name: 'both refuse', few: 0, many: 0, refused: true },
  ])('takes from all of several limits or from none: $name', async ({ name, few, many, refused }) => {
    const [leased, exact] = [rule(5, 'leased'), rule(5, 'exact')];
    const [here, there] = [`leased ${name}`, `exact ${name}`];
    if (few === 0) await limiter.take(here, leased, 5);
    if (many === 0) await limiter.take(there, exact, 5);
    for (const order of [
      [take(here, leased), take(there, exact)],
      [take(there, exact), take(here, leased)],
    ]) {
      ahead += 200;
      expect((await all(...order)).includes(false)).toBe(refused);
    }
    const taken = refused ? 0 : 2;
    expect(await left(there, exact)).toBe(many - taken);
    expect(await left(here, leased)).toBe(few - taken);
  });

  it('takes from several leased limits or from none, also those that wait', async () => {
    const [one, other] = [rule(5, 'leased'), rule(5, 'leased')];
    await limiter.take('other', other, 5);
    ahead += 200;
    expect(await all(take('one', one), take('other', other))).toEqual([true, false]);
    // Now it is known without asking.
    expect(await all(take('one', one), take('other', other), take('third', rule(5, 'exact')))).toEqual([
      true,
      false,
      undefined,
    ]);
    expect(await left('one', one)).toBe(5);
    expect(await left('third', rule(5, 'exact'))).toBe(5);
  });

  it('has limits without leases counted as ever', async () => {
    const exact = rule(3, 'exact');
    expect(await all(take('a', exact), take('b', exact, 4))).toEqual([true, false]);
    expect(await left('a', exact)).toBe(3);
    expect(limiter.peek('b', exact, 4)).toMatchObject({ allowed: false });
    limiter.charge('c', exact, 2);
    expect(await left('c', exact)).toBe(1);
  });

  it('goes on with what is reserved while Redis is gone', async () => {
    const [leased, exact] = [rule(10_000, 'leased'), rule(10_000, 'exact')];
    for (let asked = 1; limiter.take('hot', leased, 1) instanceof Promise; asked += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      ahead += asked % 10 === 0 ? 20 : 0;
    }
    guard.close();
    expect(limiter.take('hot', leased, 1)).toMatchObject({ allowed: true });
    const outcomes = await limiter.takeAll([take('hot', leased), take('cold', exact)]);
    expect(outcomes[0]).toMatchObject({ allowed: true });
    expect(outcomes[1]).toBe(STORE_UNAVAILABLE);
  });
});
