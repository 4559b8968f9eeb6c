import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { setTimeout } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady } from '../../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../../store/store-guard.ts';
import type { BucketRule, TakeOutcome } from '../rate-limiter.ts';
import { LeaseCalls } from './lease-calls.redis.ts';
import { Leases } from './leases.ts';

const HOUR_MS = 3_600_000;
const SILENT = { info: () => undefined, warn: () => undefined };
/** So many that a replica reserves some of them. */
const PLENTY: BucketRule = { rate: 10_000, perMs: HOUR_MS, burst: 10_000 };

interface Replica {
  readonly leases: Leases;
  readonly guard: StoreGuard;
  /** Lets time pass for this replica alone. */
  wait(ms: number): void;
}

function isAllowed(outcome: TakeOutcome): boolean {
  return outcome !== STORE_UNAVAILABLE && outcome.allowed;
}

describe('Leases', () => {
  let server: RedisServer;
  let plain: Redis;
  const opened: { redis: Redis; guard: StoreGuard; leases: Leases }[] = [];
  let nextId = 0;

  beforeAll(async () => {
    server = await startRedis();
    plain = server.client();
  });

  afterEach(async () => {
    server.resume();
    for (const { redis, guard, leases } of opened.splice(0)) {
      guard.close();
      await leases.close();
      closeRedis(redis);
    }
    await plain.flushall();
  });

  afterAll(() => server.stop());

  async function replica({ budgetMs = 10_000, count = 1, most = 1000 } = {}): Promise<Replica> {
    const redis = createRedis(server.url, SILENT);
    const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs, probeAfterMs: 60_000 });
    expect(await whenReady(redis, 10_000)).toBe(true);
    let now = 0;
    const calls = new LeaseCalls(redis, { id: `r${(nextId += 1)}`, count });
    const leases = new Leases({
      send: (key, call) => calls.send(key, call),
      guard,
      now: () => now,
      most,
    });
    opened.push({ redis, guard, leases });
    return { leases, guard, wait: (ms) => void (now += ms) };
  }

  /** Has a replica ask so often that it reserves some. */
  async function reserved({ leases, wait }: Replica, key: string, rule = PLENTY): Promise<number> {
    for (let taken = 1; ; taken += 1) {
      const outcome = leases.take(key, rule, 1);
      if (!(outcome instanceof Promise)) return taken;
      expect(isAllowed(await outcome)).toBe(true);
      wait(taken % 10 === 0 ? 20 : 0);
    }
  }

  async function tokens(key: string): Promise<number> {
    return Number(await plain.hget(`ratelimit:${key}`, 'tokens'));
  }

  async function scriptCalls(): Promise<number> {
    const stats = await plain.info('commandstats');
    return [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce(
      (n, [, calls]) => n + Number(calls),
      0,
    );
  }

  it('let exactly the burst pass to several replicas at once, and tell the others when to come back', async () => {
    const rule = { rate: 60, perMs: HOUR_MS, burst: 60 };
    const replicas = await Promise.all([1, 2, 3, 4].map(() => replica({ count: 4 })));
    const outcomes = await Promise.all(
      Array.from(
        { length: 400 },
        (_, call) => replicas[call % 4]?.leases.take('shared', rule, 1) as TakeOutcome,
      ),
    );
    expect(outcomes.filter(isAllowed)).toHaveLength(60);
    for (const outcome of outcomes.filter((one) => !isAllowed(one))) {
      expect(outcome).toMatchObject({ allowed: false, limit: 60, remaining: 0 });
      const { retryAfterMs } = outcome as Exclude<TakeOutcome, typeof STORE_UNAVAILABLE>;
      expect(retryAfterMs).toBeGreaterThan(HOUR_MS / 60 - 10_000);
      expect(retryAfterMs).toBeLessThanOrEqual(HOUR_MS / 60);
    }
    // What was refused is not asked again.
    const before = await scriptCalls();
    expect(await replicas[0]?.leases.take('shared', rule, 1)).toMatchObject({ allowed: false });
    expect(replicas[0]?.leases.peek('shared', rule, 1)).toMatchObject({ allowed: false });
    expect(await scriptCalls()).toBe(before);
  });

  it('refuse what is dearer than what is left, and let pass what is not', async () => {
    const { leases } = await replica();
    const rule = { rate: 10, perMs: HOUR_MS, burst: 10 };
    expect(await leases.take('dear', rule, 7)).toMatchObject({ allowed: true, remaining: 3 });
    expect(await leases.take('dear', rule, 5)).toMatchObject({ allowed: false, remaining: 3 });
    expect(await leases.take('dear', rule, 3)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('take from their reserve at once, and fill it up before it is empty', async () => {
    const one = await replica();
    await reserved(one, 'hot');
    const before = await scriptCalls();
    let waited = 0;
    for (let taken = 0; taken < 2000; taken += 1) {
      const outcome = one.leases.take('hot', PLENTY, 1);
      if (outcome instanceof Promise) waited += 1;
      expect(isAllowed(await outcome)).toBe(true);
      if (taken % 10 !== 0) continue;
      one.wait(10);
      await setTimeout(1);
    }
    expect(waited).toBeLessThan(20);
    expect((await scriptCalls()) - before).toBeLessThan(100);
  });

  it('give back what nobody uses', async () => {
    const one = await replica();
    const taken = await reserved(one, 'idle');
    expect(await tokens('idle')).toBeLessThan(PLENTY.burst - taken - 1);
    one.wait(250);
    while ((await tokens('idle')) < PLENTY.burst - taken - 1) await setTimeout(10);
    expect(await plain.hkeys('ratelimit:idle')).toEqual(['tokens', 'last_refill']);
    one.wait(1500);
    while (one.leases.size > 0) await setTimeout(10);
  });

  it('give everything back at the end, and reserve nothing any more', async () => {
    const one = await replica();
    const taken = await reserved(one, 'end');
    await one.leases.close();
    const left = await tokens('end');
    expect(left).toBeGreaterThanOrEqual(PLENTY.burst - taken);
    for (let more = 0; more < 20; more += 1)
      expect(isAllowed(await one.leases.take('end', PLENTY, 1))).toBe(true);
    expect(await tokens('end')).toBeLessThanOrEqual(left - 19);
    expect(await plain.hkeys('ratelimit:end')).toEqual(['tokens', 'last_refill']);
  });

  it('go on with their reserve while Redis is gone, and say then that nobody can tell', async () => {
    const one = await replica({ budgetMs: 50 });
    await reserved(one, 'gone');
    await server.kill();
    expect(one.leases.take('gone', PLENTY, 1)).toMatchObject({ allowed: true });
    for (;;) {
      const outcome = await one.leases.take('gone', PLENTY, 1);
      if (outcome === STORE_UNAVAILABLE) break;
    }
    await server.restart();
    await plain.ping().catch(() => undefined);
  });

  it('wait for a Redis that has stalled no longer than they may, and give back what comes too late', async () => {
    const one = await replica({ budgetMs: 40 });
    await one.leases.take('late', PLENTY, 1);
    server.pause();
    const outcomes = await Promise.all([1, 2].map(() => one.leases.take('late', PLENTY, 1)));
    expect(outcomes).toEqual([STORE_UNAVAILABLE, STORE_UNAVAILABLE]);
    expect(one.guard.available).toBe(true);
    server.resume();
    while ((await tokens('late')) > PLENTY.burst - 2) await setTimeout(5);
    one.wait(250);
    while ((await tokens('late')) < PLENTY.burst - 1) await setTimeout(10);
  });

  it('replace what is not theirs', async () => {
    const one = await replica();
    await plain.set('ratelimit:wrong', 'x');
    expect(await one.leases.take('wrong', PLENTY, 1)).toMatchObject({ allowed: true, remaining: 9999 });
    await plain.hset('ratelimit:wrong', { 'l:nobody': 'nonsense', reserved: 'nonsense' });
    expect(await one.leases.take('wrong', PLENTY, 1)).toMatchObject({ allowed: true, remaining: 9998 });
    expect(await plain.hkeys('ratelimit:wrong')).toEqual(['tokens', 'last_refill']);
  });

  it('begin anew after FLUSHALL', async () => {
    const one = await replica();
    await reserved(one, 'flushed');
    await plain.flushall();
    while (!(one.leases.take('flushed', PLENTY, 1) instanceof Promise));
    await setTimeout(20);
    expect(isAllowed(await one.leases.take('flushed', PLENTY, 1))).toBe(true);
    expect(await plain.pttl('ratelimit:flushed')).toBeGreaterThan(0);
  });

  it('put back what another limit refused, and take what was spent already', async () => {
    const one = await replica();
    const taken = await reserved(one, 'back');
    for (let again = 0; again < 3; again += 1) {
      await one.leases.take('back', PLENTY, 1);
      one.leases.refund('back', PLENTY, 1);
    }
    one.leases.charge('back', PLENTY, 5000);
    one.wait(250);
    const left = PLENTY.burst - taken - 5000;
    while (Math.abs((await tokens('back')) - left) > 1) await setTimeout(10);
    one.leases.charge('back', PLENTY, 50_000);
    while ((await tokens('back')) > 0) await setTimeout(10);
    expect(await tokens('back')).toBeGreaterThanOrEqual(-PLENTY.burst);
    expect(isAllowed(await one.leases.take('back', PLENTY, 1))).toBe(false);
  });

  it('follow a limit that changes, and give back what belongs to the one before', async () => {
    const one = await replica();
    await reserved(one, 'changed');
    expect(one.leases.take('changed', { ...PLENTY }, 1)).toMatchObject({ allowed: true });
    const smaller = { rate: 3, perMs: HOUR_MS, burst: 3 };
    const outcomes = [];
    for (let call = 0; call < 5; call += 1) outcomes.push(await one.leases.take('changed', smaller, 1));
    expect(outcomes.map(isAllowed)).toEqual([true, true, true, false, false]);
  });

  it('keep no more keys than they may', async () => {
    const one = await replica({ most: 100 });
    for (let key = 0; key < 500; key += 1) {
      await one.leases.take(`key-${key}`, PLENTY, 1);
      expect(one.leases.size).toBeLessThanOrEqual(100);
    }
    const burst = Array.from({ length: 300 }, (_, key) => one.leases.take(`many-${key}`, PLENTY, 1));
    expect((await Promise.all(burst)).every(isAllowed)).toBe(true);
    for (let key = 0; key < 300; key += 1) await one.leases.take(`after-${key}`, PLENTY, 1);
    one.wait(1500);
    while (one.leases.size > 0) await setTimeout(10);
  });
});
