import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRedis, closeRedis, whenReady } from '../../../store/redis.ts';
import { StoreGuard } from '../../../store/store-guard.ts';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { DpopNonces } from './dpop-nonces.ts';
import { SeenProofs } from './seen-proofs.ts';

const KEEP_MS = 1000;
let now = 0;
const clock = () => now;
const alone = (max = 1000) => new SeenProofs({ keepMs: KEEP_MS, max, onStoreError: 'closed', clock });

describe('the proofs that were seen', () => {
  it('are remembered for as long as they would hold', async () => {
    now = 0;
    const seen = alone();
    expect(await seen.take('key', 'a')).toBe(true);
    expect(await seen.take('other key', 'a')).toBe(true);
    for (now = 0; now <= KEEP_MS; now += 250) expect(await seen.take('key', 'a')).toBe(false);
    now = 2 * KEEP_MS + 1;
    expect(await seen.take('key', 'b')).toBe(true);
    now = 3 * KEEP_MS + 2;
    expect(await seen.take('key', 'a')).toBe(true);
  });

  it('are bounded, for one key too, and make room in time', async () => {
    now = 0;
    const seen = alone(100);
    const full = { code: 'identity-unavailable', headers: { 'retry-after': '1' } };
    for (let i = 0; i < 10; i += 1) await seen.take('key', `${i}`);
    await expect(seen.take('key', 'one more')).rejects.toMatchObject(full);
    for (let key = 0; key < 9; key += 1)
      for (let i = 0; i < 10; i += 1) await seen.take(`key ${key}`, `${i}`);
    expect(seen.size).toBe(100);
    await expect(seen.take('a new key', 'a')).rejects.toMatchObject(full);
    now = KEEP_MS;
    expect(await seen.take('a new key', 'a')).toBe(true);
    expect(await seen.take('key', '0')).toBe(false);
  });
});

describe('replicas', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('tell each other by Redis, and do as the configuration says without', async () => {
    now = 0;
    const silent = { info: () => undefined, warn: () => undefined };
    const redis = createRedis(server.url, silent);
    await whenReady(redis, 2000);
    const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 200, failures: 100 });
    const replica = (onStoreError: 'closed' | 'local') =>
      new SeenProofs({ keepMs: KEEP_MS, max: 1000, onStoreError, store: { redis, guard }, clock });
    const [one, other] = [replica('closed'), replica('local')];
    expect(await one.take('key', 'a')).toBe(true);
    expect(await other.take('key', 'a')).toBe(false);
    expect(await server.client().pttl('dpop:keya')).toBeGreaterThan(0);
    await server.kill();
    await expect(one.take('key', 'b')).rejects.toMatchObject({ code: 'identity-unavailable' });
    expect(await other.take('key', 'b')).toBe(true);
    expect(await other.take('key', 'b')).toBe(false);
    guard.close();
    closeRedis(redis);
  });
});

describe('nonces', () => {
  it('hold for their time and once more, and are the same for those who share the secret', () => {
    now = 0;
    const [one, other] = [
      new DpopNonces(1000, 's'.repeat(32), clock),
      new DpopNonces(1000, 's'.repeat(32), clock),
    ];
    const stranger = new DpopNonces(1000, undefined, clock);
    const first = one.current;
    expect([first.length, other.current, other.takes(first), stranger.takes(first)]).toEqual([
      22,
      first,
      true,
      false,
    ]);
    now = 1000;
    expect([one.takes(first), one.current === first]).toEqual([true, false]);
    now = 2000;
    expect([one.takes(first), one.takes(undefined), one.takes('')]).toEqual([false, false, false]);
  });
});
