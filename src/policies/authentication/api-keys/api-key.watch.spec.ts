import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchangeFor } from '../../../../test/support/stage-server.ts';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { OpenExchanges } from '../../../exchange/open-exchanges.ts';
import { PubSub } from '../../../store/pub-sub.ts';
import { closeRedis, createRedis, whenReady } from '../../../store/redis.ts';
import { createApiKey } from './api-key.ts';
import { ApiKeyDirectory } from './api-key.directory.ts';
import { apiKeyRedisKey } from './api-key.hash.ts';
import { saveApiKey } from './api-key.index.ts';
import { ApiKeyRegistry } from './api-key.registry.ts';
import { RedisApiKeyStore } from './api-key.store.redis.ts';
import { ApiKeyWatch } from './api-key.watch.ts';
import { KnownKey } from './known-key.ts';

const silent = { info: () => undefined, warn: () => undefined };
const KEEP_MS = 86_400_000;
const LOOK_MS = 40;
const names = { roles: [], permissions: [], scopes: [] };

let server: RedisServer;
let admin: Redis;
let redis: Redis;
let pubSub: PubSub;
let directory: ApiKeyDirectory;
let watch: ApiKeyWatch;
let exchanges: OpenExchanges;
/** What the clock is ahead by. */
let ahead: number;

const now = () => Date.now() + ahead;

function begin(lookMs: number): void {
  watch?.stop();
  watch = new ApiKeyWatch({ exchanges, directory, usage: undefined, pubSub, clock: now, lookMs });
  watch.start();
}

beforeAll(async () => {
  server = await startRedis();
  admin = server.client();
});

beforeEach(async () => {
  ahead = 0;
  redis = createRedis(server.url, silent);
  await whenReady(redis, 2000);
  pubSub = new PubSub(redis);
  exchanges = new OpenExchanges();
  directory = new ApiKeyDirectory(new RedisApiKeyStore(redis), now);
  begin(LOOK_MS);
});

afterEach(() => {
  server.resume();
  watch.stop();
  pubSub.close();
  closeRedis(redis);
});

afterAll(() => server.stop());

async function openWith(sha256: string): Promise<Exchange> {
  const request = new IncomingMessage(new Socket());
  const exchange = exchangeFor(request, new ServerResponse(request));
  const key = await directory.find(sha256);
  if (key === undefined) throw new Error('no key');
  watch.admitted(exchange, key, now());
  exchange.principal = key.principal;
  return exchange;
}

async function stored(more = {}): Promise<string> {
  const { sha256 } = createApiKey();
  await saveApiKey(admin, { ...names, ...more, sha256, clientId: 'app', status: 'active' }, KEEP_MS);
  return sha256;
}

async function endOf(exchange: Exchange): Promise<readonly (string | number | undefined)[]> {
  for (let i = 0; i < 400 && exchange.cancelled === undefined; i += 1) await sleep(5);
  return [exchange.cancelled?.status, exchange.cancelled?.code];
}

const set = (sha256: string, field: string, value: string) =>
  admin.hset(apiKeyRedisKey(sha256), field, value);

describe('a change that nobody tells of', () => {
  it.each<[string, (sha256: string) => unknown, number, string]>([
    ['revoked by a hand', (sha256) => set(sha256, 'status', 'revoked'), 403, 'credentials-revoked'],
    ['disabled by a hand', (sha256) => set(sha256, 'status', 'disabled'), 401, 'credentials-invalid'],
    ['deleted', (sha256) => admin.del(apiKeyRedisKey(sha256)), 401, 'credentials-invalid'],
    ['flushed away', () => admin.flushall(), 401, 'credentials-invalid'],
    ['lost with the Redis that had it', () => server.restart(), 401, 'credentials-invalid'],
    ['kept to other addresses', (sha256) => set(sha256, 'addresses', '10.0.0.0/8'), 403, 'address-denied'],
    ['over', () => (ahead += 10_000), 401, 'credentials-expired'],
    ['out of reach for a minute', () => (server.pause(), (ahead += 61_000)), 503, 'identity-unavailable'],
  ])('ends what was opened with a key that is %s', async (_what, act, status, code) => {
    const sha256 = await stored({ expiresAt: code === 'credentials-expired' ? now() + 5000 : undefined });
    const exchange = await openWith(sha256);
    await sleep(2 * LOOK_MS);
    expect(exchange.cancelled).toBeUndefined();
    await act(sha256);
    expect(await endOf(exchange)).toEqual([status, code]);
  });

  it('ends nothing for as long as a key may go on without its store', async () => {
    const exchange = await openWith(await stored());
    server.pause();
    ahead += 50_000;
    await sleep(300 + 3 * LOOK_MS);
    expect(exchange.cancelled).toBeUndefined();
  });
});

describe('a change that is told', () => {
  beforeEach(() => begin(1_000_000));

  it.each<[string, (registry: ApiKeyRegistry, sha256: string) => Promise<unknown>, string]>([
    ['revoked', (registry, sha256) => registry.revoke(sha256, undefined, KEEP_MS), 'credentials-revoked'],
    [
      'rotated without overlap',
      (registry, sha256) => registry.rotate(sha256, { overlapMs: 0 }, KEEP_MS),
      'credentials-expired',
    ],
    [
      'disabled',
      (registry, sha256) => registry.change(sha256, { status: 'disabled' }, KEEP_MS),
      'credentials-invalid',
    ],
  ])('ends what was opened with a key that is %s, at another replica', async (_what, act, code) => {
    const [sha256, beside] = [await stored(), await stored()];
    const [exchange, other] = [await openWith(sha256), await openWith(beside)];
    const closed = await openWith(sha256);
    closed.close();
    const listener = server.client();
    const replica = createRedis(server.url, silent);
    const told = new PubSub(replica);
    while ((await listener.pubsub('NUMSUB', 'gatehouse:events:api-keys'))[1] !== 1) await sleep(5);
    await act(new ApiKeyRegistry(listener, new PubSub(listener)), sha256);
    told.close();
    closeRedis(replica);
    expect((await endOf(exchange))[1]).toBe(code);
    expect([other.cancelled, closed.cancelled]).toEqual([undefined, undefined]);
  });

  it('has who asked before it ask again', async () => {
    const sha256 = await stored();
    const slow = directory.find(sha256);
    await set(sha256, 'status', 'revoked');
    directory.forget(sha256);
    await slow;
    expect((await directory.find(sha256))?.record.status).toBe('revoked');
  });

  it('is believed rather than what was known, when Redis goes right then', async () => {
    const sha256 = await stored();
    const exchange = await openWith(sha256);
    server.pause();
    directory.forget(sha256);
    await expect(Promise.resolve(directory.find(sha256))).rejects.toMatchObject({
      code: 'identity-unavailable',
    });
    expect(exchange.cancelled).toBeUndefined();
  });
});

describe('keys of a configuration', () => {
  it('end what was opened with one that the next configuration has no more, or disables', async () => {
    const keyOf = (sha256: string, status: 'active' | 'disabled') =>
      [sha256, new KnownKey({ ...names, sha256, clientId: 'c', status })] as const;
    const [gone, off, stays] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
    const first = new Map([gone, off, stays].map((sha256) => keyOf(sha256, 'active')));
    watch.use(first);
    const opened = [gone, off, stays].map((sha256) => {
      const request = new IncomingMessage(new Socket());
      const exchange = exchangeFor(request, new ServerResponse(request));
      watch.admitted(exchange, first.get(sha256) as KnownKey, now());
      exchange.principal = first.get(sha256)?.principal;
      return exchange;
    });
    watch.use(new Map([keyOf(off, 'disabled'), keyOf(stays, 'active')]));
    for (const exchange of opened.slice(0, 2)) expect((await endOf(exchange))[1]).toBe('credentials-invalid');
    expect(opened[2]?.cancelled).toBeUndefined();
  });
});
