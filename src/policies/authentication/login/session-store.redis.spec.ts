import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import {
  ask,
  NEW_KEY,
  OLD_KEY,
  SessionDesk,
  type DeskIdentity,
} from '../../../../test/support/session-desk.ts';
import { closeRedis, createRedis, whenReady } from '../../../store/redis.ts';
import type { Identity } from '../identity.ts';
import type { Session } from './session.ts';

const MINUTE = 60_000;
const IDLE = 30 * MINUTE;
const ABSOLUTE = 480 * MINUTE;
/** Longer than what is known of a session is believed, shorter than a use that is noted. */
const LATER = 6000;
const SILENT = { info: () => undefined, warn: () => undefined };
const STORES = ['cookie', 'redis'] as const;

let desk: SessionDesk;
let server: RedisServer;
let plain: Redis;
const opened: Redis[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  [desk, server] = await Promise.all([SessionDesk.start(), startRedis()]);
  plain = server.client();
});
beforeEach(async () => {
  desk.hold = () => Promise.resolve();
  desk.asked = 0;
  await plain.flushall();
});
afterEach(() => opened.splice(0).forEach(closeRedis));
afterAll(() => Promise.all([desk.stop(), server.stop()]));

/** One more replica, with a connection of its own. */
async function replica(store: 'cookie' | 'redis', more: DeskIdentity = {}): Promise<Identity> {
  const redis = createRedis(server.url, SILENT);
  opened.push(redis);
  expect(await whenReady(redis, 5000)).toBe(true);
  return desk.identity({ ...more, session: { store, ...more.session }, redis });
}

const old = (): Partial<Session> => ({ refreshAt: desk.now, expiresAt: desk.now + MINUTE });
const says = async (identity: Identity, value: string): Promise<string> => (await ask(identity, value)).says;

async function sessionKey(): Promise<string> {
  const [key = ''] = await plain.keys('gatehouse:session:*');
  return key;
}

async function ready(): Promise<void> {
  for (const redis of opened) expect(await whenReady(redis, 5000)).toBe(true);
}

describe('a session in Redis', () => {
  it('is there for its idle time after a use, at most until its end, and then is over', async () => {
    const [one, other] = [await replica('redis'), await replica('redis')];
    const value = await desk.begin(one);
    const key = await sessionKey();
    await plain.pexpire(key, 1000);
    desk.now += IDLE / 2;
    expect(await says(one, value)).toBe('alice');
    expect(await plain.pttl(key)).toBeGreaterThan(IDLE - 10_000);
    desk.now += ABSOLUTE - IDLE / 2 - 2 * MINUTE;
    expect(await says(other, value)).toBe('alice');
    expect(await plain.pttl(key)).toBeLessThanOrEqual(2 * MINUTE);
    await plain.pexpire(key, 0);
    desk.now += LATER;
    expect(await ask(one, value)).toEqual({ says: 'credentials-invalid', value: '' });
  });

  it('never lives longer than it may, though Redis has it', async () => {
    const identity = await replica('redis');
    const value = await desk.begin(identity, old());
    expect(await says(identity, value)).toBe('alice');
    desk.now += ABSOLUTE - LATER;
    expect(await says(identity, value)).toBe('alice');
    expect(await plain.persist(await sessionKey())).toBe(1);
    desk.now += LATER;
    expect(await ask(identity, value)).toEqual({ says: 'credentials-expired', value: '' });
  });

  it('is encrypted with the first key, and opened with any', async () => {
    const before = await replica('redis', { keys: OLD_KEY });
    const both = await replica('redis', { keys: `${NEW_KEY},${OLD_KEY}` });
    const after = await replica('redis', { keys: NEW_KEY });
    const value = await desk.begin(before);
    expect([await says(both, value), await says(after, value)]).toEqual(['alice', 'credentials-invalid']);
    const newer = await desk.begin(both);
    expect([await says(after, newer), await says(before, newer)]).toEqual(['alice', 'credentials-invalid']);
  });
});

describe.each(STORES)('replicas that refresh a session in store %s', (store) => {
  it('ask once', async () => {
    const replicas = [await replica(store), await replica(store)] as const;
    const value = await desk.begin(replicas[0], old());
    const seen = await Promise.all(replicas.map((one) => ask(one, value)));
    expect(seen[0]).toEqual({ says: 'alice', value: seen[1]?.value });
    expect(desk.asked).toBe(1);
  });

  it('end nothing that another one has refreshed, though the provider calls the token spent', async () => {
    const [winner, loser] = [await replica(store), await replica(store)];
    const value = await desk.begin(winner, old());
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const answered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    desk.hold = (request) => (asked[request - 1]?.resolve(), answered[request - 1]?.promise as Promise<void>);
    const won = ask(winner, value);
    await asked[0]?.promise;
    // As if it took longer than the lock is held.
    await plain.del(await plain.keys('gatehouse:renewal:lock:*'));
    const lost = ask(loser, value);
    await asked[1]?.promise;
    answered[0]?.resolve();
    const seen = await won;
    answered[1]?.resolve();
    expect([seen.says, await lost]).toEqual(['alice', seen]);
    expect(desk.asked).toBe(2);
  });

  // Either the lock outlives the cut, or it does not.
  it.each([
    ['waits for it', false, 1],
    ['has shown the spent token', true, 2],
  ])('get the tokens that a cut kept from the store, though another one %s', async (_what, isFree, asked) => {
    const [winner, loser] = [await replica('redis'), await replica('redis')];
    const [line] = opened as [Redis];
    const value = await desk.begin(winner, old());
    desk.hold = async (request) => (request === 1 ? line.disconnect() : undefined);
    expect(await says(winner, value)).toBe('alice');
    if (isFree) await plain.del(await plain.keys('gatehouse:renewal:lock:*'));
    const waits = says(loser, value);
    await sleep(200);
    await line.connect();
    expect([await waits, desk.asked]).toEqual(['alice', asked]);
    desk.now += LATER;
    expect([await says(winner, value), await says(loser, value), desk.asked]).toEqual([
      'alice',
      'alice',
      asked,
    ]);
  });

  it('end it when it is spent for all', async () => {
    const identity = await replica(store);
    const session = { ...old(), refreshToken: `spent-${store}` };
    expect(await says(await replica(store), await desk.begin(identity, session))).toBe('alice');
    await plain.flushall();
    const value = await desk.begin(identity, session);
    expect(await ask(identity, value)).toEqual({ says: 'credentials-expired', value: '' });
    expect(await sessionKey()).toBe('');
  });
});

describe('a Redis that goes away under sessions', () => {
  it.each(['kill', 'pause'] as const)('is outlived by those that need none of it now: %s', async (fault) => {
    const [knows, other, cookies] = [await replica('redis'), await replica('redis'), await replica('cookie')];
    const value = await desk.begin(knows);
    const ageing = await desk.begin(knows, { refreshAt: desk.now + LATER, expiresAt: desk.now + LATER });
    for (const one of [value, ageing]) expect(await says(knows, one)).toBe('alice');
    const [young, aged] = [await desk.begin(cookies), await desk.begin(cookies, old())];
    await server[fault]();
    desk.now += LATER;
    expect(
      await Promise.all([
        says(knows, value),
        says(other, value),
        says(cookies, young),
        // Refreshed alone.
        says(cookies, aged),
      ]),
    ).toEqual(['alice', 'identity-unavailable', 'alice', 'alice']);
    expect(desk.asked).toBe(1);
    if (fault === 'pause') {
      server.resume();
      await ready();
      expect(await says(other, value)).toBe('alice');
      // Nor is the lock held that nobody waited for.
      expect(await plain.keys('gatehouse:renewal:lock:*')).toEqual([]);
      return;
    }
    // Its tokens have expired.
    expect(await says(knows, ageing)).toBe('identity-unavailable');
    // Nobody can tell whether it was used elsewhere since.
    desk.now += IDLE;
    expect(await says(knows, value)).toBe('identity-unavailable');
    // It comes back empty.
    await server.restart();
    await ready();
    expect(await says(knows, value)).toBe('credentials-invalid');
    expect(await says(other, await desk.begin(knows))).toBe('alice');
  });

  it('ends what was in it when it is flushed, and nothing else', async () => {
    const [redis, cookie] = [await replica('redis'), await replica('cookie')];
    const [lost, kept] = [await desk.begin(redis, old()), await desk.begin(cookie, old())];
    expect([await says(redis, lost), await says(cookie, kept)]).toEqual(['alice', 'alice']);
    await plain.flushall();
    desk.now += LATER;
    expect(await ask(redis, lost)).toEqual({ says: 'credentials-invalid', value: '' });
    expect(await says(cookie, kept)).toBe('alice');
    expect(await says(redis, await desk.begin(redis))).toBe('alice');
  });

  it('ends a session that is flushed while its tokens are refreshed', async () => {
    const identity = await replica('redis');
    const value = await desk.begin(identity, old());
    desk.hold = () => plain.flushall();
    expect(await ask(identity, value)).toEqual({ says: 'credentials-expired', value: '' });
  });
});
