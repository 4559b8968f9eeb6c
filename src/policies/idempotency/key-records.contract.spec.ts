import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady } from '../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../store/store-guard.ts';
import { MemoryKeyRecords } from './key-records.memory.ts';
import { RedisKeyRecords } from './key-records.redis.ts';
import type { Claim, KeyRecords } from './key-records.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
const LEASE_MS = 150;
const fingerprint = { head: 'head', body: 'body' };
const claimOf = (owner: string, more: Partial<Claim> = {}): Claim => ({
  name: 'idempotency:test',
  owner,
  fingerprint,
  leaseMs: LEASE_MS,
  ttlMs: 60_000,
  ...more,
});

describe.each(['in this process', 'in Redis', 'in a cluster'])('keys %s', (store) => {
  let server: RedisServer | undefined;
  let redis: Redis | undefined;
  let guard: StoreGuard;
  let records: KeyRecords;
  let now = 0;

  beforeAll(async () => {
    if (store === 'in this process') return;
    server = await startRedis(store === 'in a cluster');
    if (store === 'in a cluster') await server.client().call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    redis = createRedis(server.url, SILENT);
    await whenReady(redis, 5000);
    const up = redis;
    while (!String(await up.call('CLUSTER', 'INFO').catch(() => 'state:ok')).includes('state:ok'))
      await sleep(5);
  });
  beforeEach(async () => {
    await redis?.flushall();
    guard = new StoreGuard({ probe: async () => undefined, budgetMs: 1000 });
    records =
      redis === undefined ? new MemoryKeyRecords(undefined, () => now) : new RedisKeyRecords(redis, guard);
  });
  afterEach(() => guard.close());
  afterAll(async () => {
    if (redis !== undefined) closeRedis(redis);
    await server?.stop();
  });

  const pass = async (ms: number): Promise<void> => {
    now += ms;
    if (redis !== undefined) await sleep(ms + 5);
  };
  const claim = (owner: string, more?: Partial<Claim>, runsUnknown = false) =>
    records.claim(claimOf(owner, more), runsUnknown);
  const running = { state: 'running', fingerprint };

  it('are claimed by one of any number', async () => {
    const claimed = await Promise.all(Array.from({ length: 50 }, (_, index) => claim(String(index))));
    expect(claimed[0]).toEqual({ state: 'claimed' });
    for (const one of claimed.slice(1)) expect(one).toMatchObject(running);
  });

  it('that nothing was run for are free after the lease, for another request as well', async () => {
    await claim('a');
    await pass(LEASE_MS);
    const other = { fingerprint: { head: 'other', body: '' } };
    expect(await claim('b', other)).toEqual({ state: 'claimed' });
    expect(await records.write(claimOf('a'), { state: 'sent' })).toBe(false);
    await records.release(claimOf('a'));
    expect(await claim('c')).toMatchObject({ state: 'running', ...other });
  });

  it('that something was run for are of unknown end after the lease, unless they are extended', async () => {
    await claim('a');
    expect(await records.write(claimOf('a'), { state: 'sent' })).toBe(true);
    await pass(LEASE_MS / 2);
    await records.write(claimOf('a'), { state: 'sent' });
    await pass(LEASE_MS / 2);
    expect(await claim('b')).toMatchObject(running);
    await pass(LEASE_MS);
    expect(await claim('b')).toEqual({ state: 'unknown', fingerprint });
    expect(await claim('b', { fingerprint: { head: 'other', body: '' } }, true)).toMatchObject({
      state: 'unknown',
    });
    expect(await claim('b', {}, true)).toEqual({ state: 'claimed' });
    expect(await records.write(claimOf('a'), { state: 'done', answer: Buffer.from('late') })).toBe(false);
  });

  it('are not forgotten while somebody works on them, however short answers are kept', async () => {
    const short = { ttlMs: 20 };
    await claim('a', short);
    await pass(LEASE_MS / 3);
    expect(await claim('b', short)).toMatchObject(running);
    await records.write(claimOf('a', short), { state: 'sent' });
    await pass(LEASE_MS / 3);
    expect(await claim('b', short)).toMatchObject(running);
    await records.write(claimOf('a', short), { state: 'done', answer: Buffer.from('a') });
    await pass(20);
    expect(await claim('b', short)).toEqual({ state: 'claimed' });
  });

  it('have their answer, byte by byte, until it expires', async () => {
    const answer = Buffer.from([0, 255, 10, 13, 128]);
    await claim('a');
    await records.write(claimOf('a', { ttlMs: 400 }), { state: 'done', answer });
    await pass(LEASE_MS);
    expect(await records.write(claimOf('a'), { state: 'unknown' })).toBe(true);
    expect(await claim('b')).toEqual({ state: 'done', fingerprint, answer });
    await pass(400);
    expect(await claim('b')).toEqual({ state: 'claimed' });
  });

  it('are free at once when they are given back, and written again when they were lost', async () => {
    await claim('a');
    await records.release(claimOf('b'));
    expect(await claim('b')).toMatchObject(running);
    await records.release(claimOf('a'));
    expect(await records.write(claimOf('a'), { state: 'unknown' })).toBe(true);
    expect(await claim('b')).toEqual({ state: 'unknown', fingerprint });
  });

  it('are unavailable when nothing can be kept', async () => {
    if (redis === undefined) records = new MemoryKeyRecords(600);
    else guard.close();
    await claim('a');
    expect(await claim('b', { name: 'another' })).toBe(STORE_UNAVAILABLE);
  });
});

describe('keys in this process', () => {
  it('forget the oldest answer first, and nothing that is under way', async () => {
    const records = new MemoryKeyRecords(4000);
    const named = (name: string): Claim => claimOf('a', { name, leaseMs: Infinity });
    await records.claim(named('held'), false);
    for (const name of ['one', 'two', 'three']) {
      await records.claim(named(name), false);
      await records.write(named(name), { state: 'done', answer: Buffer.alloc(1000) });
      expect(records.bytes).toBeLessThanOrEqual(4000);
    }
    expect(await records.claim(named('held'), false)).toMatchObject({ state: 'running' });
    expect(await records.claim(named('three'), false)).toMatchObject({ state: 'done' });
    expect(await records.claim(named('one'), false)).toEqual({ state: 'claimed' });
  });
});
