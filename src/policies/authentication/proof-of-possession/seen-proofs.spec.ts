import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRedis, closeRedis, whenReady } from '../../../store/redis.ts';
import { StoreGuard } from '../../../store/store-guard.ts';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { DpopNonces } from './dpop-nonces.ts';
import { SeenProofs } from './seen-proofs.ts';

const KEEP_MS = 1000;
let now = 0;
const clock = () => now;
const alice = (key = 'key') => ({ caller: 'alice', key });
const alone = (max = 1000) => new SeenProofs({ keepMs: KEEP_MS, max, onStoreError: 'closed', clock });

describe('the proofs that were seen', () => {
  it('are remembered for as long as they would hold', async () => {
    now = 0;
    const seen = alone();
    expect(await seen.take(alice(), 'a')).toBe(true);
    expect(await seen.take(alice('other key'), 'a')).toBe(true);
    for (now = 0; now <= KEEP_MS; now += 250) expect(await seen.take(alice(), 'a')).toBe(false);
    now = 2 * KEEP_MS + 1;
    expect(await seen.take(alice(), 'b')).toBe(true);
    now = 3 * KEEP_MS + 2;
    expect(await seen.take(alice(), 'a')).toBe(true);
  });

  const full = { code: 'identity-unavailable', headers: { 'retry-after': '1' } };
  const some = async (seen: SeenProofs, caller: string, count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await seen.take({ caller, key: 'key' }, `${i}`);
  };

  it('are bounded for one caller, whatever keys he has, and make room in time', async () => {
    now = 0;
    const seen = alone(100);
    for (let i = 0; i < 10; i += 1) await seen.take(alice(`key ${i}`), 'a');
    await expect(seen.take(alice('one more'), 'a')).rejects.toMatchObject(full);
    expect(await seen.take(alice('key 1'), 'a')).toBe(false);
    expect(await seen.take({ caller: 'bob', key: 'one more' }, 'a')).toBe(true);
    now = KEEP_MS;
    expect(await seen.take(alice('one more'), 'a')).toBe(true);
    expect(await seen.take(alice('key 1'), 'a')).toBe(false);
  });

  it('are bounded for all, where those who fill it are refused and nobody else', async () => {
    now = 0;
    const seen = alone(100);
    for (let one = 0; one < 9; one += 1) await some(seen, `flood ${one}`, 10);
    await some(seen, 'bob', 3);
    for (let one = 0; one < 40; one += 1) {
      await some(seen, `visitor ${one}`, 1);
      expect(seen.size).toBeLessThanOrEqual(100);
    }
    expect(await seen.take({ caller: 'bob', key: 'key' }, '0')).toBe(false);
    expect(await seen.take({ caller: 'bob', key: 'key' }, 'new')).toBe(true);
    // Fails closed for the one whose proofs were forgotten, for as long as they could come again.
    for (const digest of ['0', 'new'])
      await expect(seen.take({ caller: 'flood 0', key: 'key' }, digest)).rejects.toMatchObject(full);
    now = KEEP_MS;
    await expect(seen.take({ caller: 'flood 0', key: 'key' }, '0')).rejects.toMatchObject(full);
    now = 2 * KEEP_MS;
    expect(await seen.take({ caller: 'flood 0', key: 'key' }, 'new')).toBe(true);
  });

  it('are no more than there is room for where nobody has many', async () => {
    now = 0;
    const seen = alone(100);
    for (let one = 0; one < 100; one += 1) await some(seen, `visitor ${one}`, 1);
    for (const caller of ['late', 'visitor 1'])
      await expect(seen.take({ caller, key: 'key' }, 'x')).rejects.toMatchObject(full);
    expect(await seen.take({ caller: 'visitor 1', key: 'key' }, '0')).toBe(false);
    expect(seen.size).toBe(100);
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
    expect(await one.take(alice(), 'a')).toBe(true);
    expect(await other.take(alice(), 'a')).toBe(false);
    expect(await server.client().pttl('dpop:keya')).toBeGreaterThan(0);
    await server.kill();
    await expect(one.take(alice(), 'b')).rejects.toMatchObject({ code: 'identity-unavailable' });
    expect(await other.take(alice(), 'b')).toBe(true);
    expect(await other.take(alice(), 'b')).toBe(false);
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
