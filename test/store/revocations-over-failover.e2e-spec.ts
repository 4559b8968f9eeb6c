import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/policies/authentication/revocation/revocation-marks.ts';
import { Revocations } from '../../src/policies/authentication/revocation/revocations.ts';
import { PubSub } from '../../src/store/pub-sub.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady } from '../../src/store/redis.ts';
import { StoreGuard } from '../../src/store/store-guard.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
const OPTIONS = { onStoreError: 'closed', staleAfter: 3000, longest: 3_600_000, max: 1_000_000 } as const;
const later = () => Math.ceil(Date.now() / 1000) + 3000;

let server: RedisServer;
const ends: (() => void)[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => server.stop());

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

/** What a process knows, and how it hears of it. */
async function replica(): Promise<Revocations> {
  const redis: Redis = createRedis(server.url, SILENT);
  const guard = new StoreGuard({ probe: () => pingAll(redis), budgetMs: 10_000, line: lineOf(redis) });
  const pubSub = new PubSub(redis);
  expect(await whenReady(redis, 10_000)).toBe(true);
  const revocations = new Revocations({ store: { redis, guard, pubSub } });
  revocations.use(OPTIONS);
  ends.push(() => {
    revocations.stop();
    guard.close();
    pubSub.close();
    closeRedis(redis);
  });
  return revocations;
}

const knows = (one: Revocations, jti: string): boolean => one.set.find(digestOf('jti', '', jti)) !== 0;

describe('revocations', () => {
  it('that a failover has lost come back from who knows them, and reach who is new', async () => {
    const [one, other] = [await replica(), await replica()];
    await until(() => one.state === 'fresh' && other.state === 'fresh');
    const revoke = (jti: string) => one.revoke([{ digest: digestOf('jti', '', jti), time: later() }]);
    expect(await revoke('before')).toBe('everywhere');
    await until(() => knows(other, 'before'));
    // A replica takes over that had heard of nothing yet.
    await server.kill();
    expect(knows(one, 'before') && knows(other, 'before')).toBe(true);
    expect(await revoke('meanwhile')).toBe('here');
    await server.restart();
    await until(() => one.ageMs < 1000 && other.ageMs < 1000);
    const late = await replica();
    await until(() => knows(late, 'before'));
    expect(await revoke('after')).toBe('everywhere');
    await until(() => knows(late, 'after') && knows(other, 'after'));
  });

  it('that were taken back stay so when a failover has lost that, and are orders again if others write them', async () => {
    const [one, other] = [await replica(), await replica()];
    await until(() => one.state === 'fresh' && other.state === 'fresh');
    const digest = (jti: string) => digestOf('jti', '', jti);
    const redis = server.client();
    for (const jti of ['ours', 'theirs']) {
      const revocation = { digest: digest(jti), time: later(), token: { jti, forMs: 3_000_000 } };
      expect(await one.revoke([revocation])).toBe('everywhere');
    }
    const key = String(await redis.get('revoked:ours'));
    const log = await redis.xrange('gatehouse:revocations', '-', '+');
    // The other has heard of it when it is asked, wherever it was ordered.
    for (const jti of ['ours', 'theirs']) expect(await other.undo(digest(jti), jti)).toBe('everywhere');
    await until(() => !knows(one, 'ours') && !knows(one, 'theirs'));
    expect(await redis.exists('revoked:ours', 'revoked:theirs')).toBe(0);
    await server.kill();
    expect(await other.undo(digest('ours'), 'ours')).toBe('nowhere');
    await server.restart();
    // What a replica knows that has heard of the revocations, and not of the rest.
    for (const [id, fields] of log) await redis.xadd('gatehouse:revocations', id, ...fields);
    await redis.set('revoked:ours', key, 'EX', 600);
    await redis.set('revoked:theirs', 'anything', 'EX', 600);
    const late = await replica();
    const all = [one, other, late];
    await until(() => all.every((each) => each.set.stampOf(digest('ours')) < 0));
    await until(() => all.every((each) => knows(each, 'theirs')));
    expect(all.some((each) => knows(each, 'ours'))).toBe(false);
    expect(await late.undo(digest('theirs'), 'theirs')).toBe('everywhere');
    await until(() => all.every((each) => !knows(each, 'theirs')));
    expect(await late.undo(digest('theirs'), 'theirs')).toBe('unknown');
  });
});
