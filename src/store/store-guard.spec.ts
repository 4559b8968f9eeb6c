import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady } from './redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from './store-guard.ts';

describe('StoreGuard', () => {
  let server: RedisServer;
  let redis: Redis;
  let guard: StoreGuard;

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
    await redis.ping();
  });

  afterEach(() => {
    server.resume();
    guard.close();
  });

  afterAll(() => server.stop());

  /** Builds a guard and a promise for each of its next transitions. */
  function guarded(budgetMs: number): { next: () => Promise<string>; heard: string[] } {
    const heard: string[] = [];
    let wake: (() => void) | undefined;
    guard = new StoreGuard({
      probe: () => redis.ping(),
      budgetMs,
      probeAfterMs: 5,
      onSwitch: (state, reason) => {
        heard.push(`${state}: ${reason}`);
        wake?.();
      },
    });
    const next = (): Promise<string> =>
      new Promise((resolve) => {
        wake = () => resolve(heard.at(-1) ?? '');
      });
    return { next, heard };
  }

  it('passes on what the store answers', async () => {
    guarded(5000);
    expect(await guard.run(() => redis.set('a', '1'))).toBe('OK');
    expect(await guard.run(() => redis.get('a'))).toBe('1');
    expect(await guard.run(() => redis.get('nothing'))).toBeNull();
    expect(guard.available).toBe(true);
  });

  it('answers in the place of a stalled store, and after three failures does not ask it', async () => {
    const { next, heard } = guarded(10);
    server.pause();
    const off = next();
    for (let call = 0; call < 3; call += 1) {
      expect(await guard.run(() => redis.get('a'))).toBe(STORE_UNAVAILABLE);
    }
    expect(await off).toBe('off: no answer within 10 ms');
    let asked = false;
    const answer = guard.run(() => {
      asked = true;
      return redis.get('a');
    });
    expect(answer).toBe(STORE_UNAVAILABLE);
    expect(asked).toBe(false);
    expect(heard).toHaveLength(1);
  });

  it('trusts the store again once a probe is answered', async () => {
    const { next, heard } = guarded(250);
    server.pause();
    const off = next();
    await Promise.all([1, 2, 3, 4, 5].map(() => guard.run(() => redis.get('a'))));
    await off;
    const on = next();
    server.resume();
    expect(await on).toBe('on: a probe was answered in time');
    expect(await guard.run(() => redis.ping())).toBe('PONG');
    expect(heard.map((line) => line.split(':')[0])).toEqual(['off', 'on']);
  });

  it('counts errors as failures, but not those that a success interrupts', async () => {
    const { next } = guarded(5000);
    const wrong = (): Promise<unknown> => redis.call('NOSUCHCOMMAND');
    expect(await guard.run(wrong)).toBe(STORE_UNAVAILABLE);
    expect(await guard.run(wrong)).toBe(STORE_UNAVAILABLE);
    expect(await guard.run(() => redis.ping())).toBe('PONG');
    expect(await guard.run(wrong)).toBe(STORE_UNAVAILABLE);
    expect(await guard.run(wrong)).toBe(STORE_UNAVAILABLE);
    expect(guard.available).toBe(true);
    const off = next();
    expect(await guard.run(wrong)).toBe(STORE_UNAVAILABLE);
    expect(await off).toMatch(/^off: ERR$/);
  });

  function stall(ms: number): void {
    for (const until = performance.now() + ms; performance.now() < until;);
  }

  it('does not blame the store for an answer that this process was too busy to read', async () => {
    guarded(200);
    const answer = guard.run(() => redis.blpop('nothing', 0.13)); // Answers null after 130 to 230 ms.
    // Busy from the second half of the budget to long beyond it, in the phase before the timers.
    setTimeout(setImmediate, 115, stall, 400);
    expect(await answer).toBeNull();
  });

  it('does not blame the store for a call that this process was too busy to send', async () => {
    guarded(20);
    const pipelining = createRedis(server.url, { info: () => undefined, warn: () => undefined });
    expect(await whenReady(pipelining, 10_000)).toBe(true);
    const answer = guard.run(() => pipelining.ping());
    stall(60);
    expect(await answer).toBe('PONG');
    closeRedis(pipelining);
  });

  it('gives a call the budget it asks for', async () => {
    guarded(1);
    expect(await guard.run(() => redis.blpop('nothing', 0.2), 10_000)).toBeNull();
    expect(await guard.run(() => redis.blpop('nothing', 0.2))).toBe(STORE_UNAVAILABLE);
  });

  it('asks nothing after it was closed', () => {
    guarded(10);
    guard.close();
    expect(guard.run(() => redis.ping())).toBe(STORE_UNAVAILABLE);
  });
});
