import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { PubSub } from '../../../store/pub-sub.ts';
import { createApiKey } from './api-key.ts';
import { apiKeyRedisKey } from './api-key.hash.ts';
import { saveApiKey } from './api-key.index.ts';
import { ApiKeyRegistry } from './api-key.registry.ts';
import { ApiKeyUsage } from './api-key.usage.ts';
import { KnownKey } from './known-key.ts';

const DAY_MS = 86_400_000;
const KEEP_MS = 30 * DAY_MS;
const MANY = 100_000;
const GRANTS = { roles: ['user'], permissions: [], scopes: ['api'], tier: 'pro', tenant: 'acme' };

let server: RedisServer;
let redis: Redis;
let registry: ApiKeyRegistry;
/** Ahead of the clock of Redis where a test says so. */
let now: number;

beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
});

beforeEach(async () => {
  now = Date.now();
  await redis.flushdb();
  registry = new ApiKeyRegistry(redis, new PubSub(undefined), () => now);
});

afterAll(() => server.stop());

const issue = (clientId = 'app', more = {}) => registry.create({ clientId, ...GRANTS, ...more }, KEEP_MS);
const ttlDays = async (sha256: string) => (await redis.pttl(apiKeyRedisKey(sha256))) / DAY_MS;

describe('a key that is issued', () => {
  it('is stored as a digest, with all that was said, and is listed', async () => {
    const limits = { addresses: ['10.0.0.0/8'], rateLimit: { rate: 10, per: 60_000, burst: 5 } };
    const { key, sha256, ...made } = await issue('app', {
      ...limits,
      prefix: 'live',
      expiresAt: now + DAY_MS,
    });
    expect(key).toMatch(/^gh_live_/);
    expect(await registry.listing.show(sha256)).toEqual({ ...made, ...GRANTS, ...limits, sha256 });
    expect((await registry.listing.list({ limit: 10 })).keys).toHaveLength(1);
    expect(await ttlDays(sha256)).toBeCloseTo(31, 1);
    for (const name of await redis.keys('*')) {
      const dump = (await redis.type(name)) === 'hash' ? redis.hgetall(name) : redis.zrange(name, '0', '-1');
      expect(name + JSON.stringify(await dump)).not.toContain(key);
    }
  });

  it('is found by the first digits of its hash, as long as they mean one', async () => {
    const { sha256 } = await issue();
    expect(await registry.listing.named(sha256.slice(0, 8))).toBe(sha256);
    await saveApiKey(
      redis,
      { ...GRANTS, clientId: 'b', status: 'active', sha256: `${sha256.slice(0, 12)}${'f'.repeat(52)}` },
      1,
    );
    await expect(registry.listing.named(sha256.slice(0, 8))).rejects.toMatchObject({ kind: 'conflict' });
    await expect(registry.listing.named('0123456789')).rejects.toMatchObject({ kind: 'unknown' });
  });
});

describe('a key that is revoked', () => {
  it('leaves a record for as long as it is said, and stays revoked', async () => {
    const { sha256 } = await issue();
    const revoked = await registry.revoke(sha256, 'leaked', KEEP_MS);
    expect(revoked).toMatchObject({ status: 'revoked', reason: 'leaked', revokedAt: now });
    expect(await ttlDays(sha256)).toBeCloseTo(30, 1);
    now += DAY_MS;
    expect(await registry.revoke(sha256, 'again', KEEP_MS)).toEqual(revoked);
    const change = registry.change(sha256, { status: 'active' }, KEEP_MS);
    await expect(change).rejects.toMatchObject({ kind: 'conflict' });
    await expect(registry.rotate(sha256, { overlapMs: 0 }, KEEP_MS)).rejects.toMatchObject({
      kind: 'conflict',
    });
  });

  it('is no longer listed once its record is gone', async () => {
    const [gone, stays] = [await issue(), await issue()];
    await registry.revoke(gone.sha256, undefined, KEEP_MS);
    await redis.del(apiKeyRedisKey(gone.sha256));
    now += KEEP_MS + 1;
    await issue('other');
    const left = await Promise.all(
      ['apikeys', 'apikeys:client:app', 'apikeys:ending'].map((name) => redis.zrange(name, '0', '-1')),
    );
    expect(left[0]).not.toContain(gone.sha256);
    expect(left.slice(1)).toEqual([[stays.sha256], []]);
  });
});

describe('a key that is rotated', () => {
  it('goes on beside the new one, which is for the same holder and as long', async () => {
    const old = await issue('app', { expiresAt: now + 10 * DAY_MS });
    now += 4 * DAY_MS;
    const { key, replaced, ...made } = await registry.rotate(old.sha256, { overlapMs: DAY_MS }, KEEP_MS);
    expect(key).not.toBe(old.key);
    expect(made).toMatchObject({ ...GRANTS, clientId: 'app', status: 'active', rotatedFrom: old.sha256 });
    expect(made.expiresAt).toBe(now + 10 * DAY_MS);
    expect(replaced).toMatchObject({ status: 'active', rotatedTo: made.sha256, expiresAt: now + DAY_MS });
    expect((await registry.listing.list({ clientId: 'app', limit: 10 })).keys).toHaveLength(2);
  });

  it('does not live longer for it', async () => {
    const { sha256 } = await issue('app', { expiresAt: now + 1000 });
    const { replaced } = await registry.rotate(
      sha256,
      { overlapMs: DAY_MS, expiresAt: now + DAY_MS },
      KEEP_MS,
    );
    expect(replaced.expiresAt).toBe(now + 1000);
  });

  it('is rotated once, though two want it at the same time, and leaves no key that nobody has', async () => {
    const { sha256 } = await issue();
    const all = await Promise.allSettled(
      [1, 2, 3].map(() => registry.rotate(sha256, { overlapMs: 0 }, KEEP_MS)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await registry.listing.list({ limit: 10 })).keys).toHaveLength(2);
  });
});

describe('the list of keys', () => {
  it('is read page by page, all of it and that of one client, however many there are', async () => {
    const script = `for i = 1, ${MANY} do
      local sha = redis.sha1hex(i) .. '0123456789abcdef01234567'
      local client = i % 1000 == 0 and 'rare' or 'often'
      redis.call('HSET', 'apikey:' .. sha, 'clientId', client, 'status', 'active')
      redis.call('ZADD', 'apikeys', 0, sha)
      redis.call('ZADD', 'apikeys:client:' .. client, 0, sha)
    end`;
    await redis.eval(script, 0);
    // From the beginning, from the middle, and up to the end.
    const pages = [];
    for (const after of [undefined, '8'.repeat(64), `ff${'0'.repeat(62)}`])
      pages.push(await registry.listing.list({ limit: 200, after }));
    const hashes = pages.map(({ keys }) => keys.map(({ sha256 }) => sha256));
    expect(hashes.map((page) => page.length)).toEqual([200, 200, 200]);
    for (const page of hashes) expect(page).toEqual(page.toSorted());
    const last = await registry.listing.list({ limit: 1000, after: 'fff' });
    expect([last.next, last.keys.length]).toEqual([undefined, await redis.zlexcount('apikeys', '(fff', '+')]);
    const second = await registry.listing.list({ limit: 1, after: pages[0]?.keys[198]?.sha256 });
    expect(second.next).toBe(pages[0]?.next);
    const before = Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
    const rare = await registry.listing.list({ clientId: 'rare', limit: 1000 });
    expect(rare.keys).toHaveLength(MANY / 1000);
    // Of the keys of that client only.
    const commands = Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]) - before;
    expect(commands).toBeLessThan(3 * rare.keys.length);
  }, 60_000);

  it('leaves out what is gone', async () => {
    const [gone, stays] = [await issue(), await issue()];
    await redis.del(apiKeyRedisKey(gone.sha256));
    const { keys } = await registry.listing.list({ clientId: 'app', limit: 10 });
    expect(keys.map(({ sha256 }) => sha256)).toEqual([stays.sha256]);
    expect(await redis.zcard('apikeys')).toBe(1);
  });
});

describe('the last use of keys', () => {
  it('is one command for many uses of many keys, and one a minute for each', async () => {
    const usage = new ApiKeyUsage(redis, { flushAfterMs: 1_000_000 });
    const keys = await Promise.all(
      Array.from(
        { length: 20 },
        async () => new KnownKey(await registry.listing.show((await issue()).sha256)),
      ),
    );
    const zadds = async () =>
      Number(/cmdstat_zadd:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    const before = await zadds();
    for (let i = 0; i < 100; i += 1) for (const key of keys) usage.note(key, now + i);
    await usage.flush();
    expect(await zadds()).toBe(before + 1);
    for (const key of keys) usage.note(key, now + 59_999);
    await usage.flush();
    expect(await zadds()).toBe(before + 1);
    for (const key of keys) usage.note(key, now + 60_000);
    await usage.flush();
    expect(await zadds()).toBe(before + 2);
    const listed = await registry.listing.list({ limit: 100 });
    expect(new Set(listed.keys.map(({ lastUsedAt }) => lastUsedAt))).toEqual(new Set([now + 60_000]));
  });

  it('has what a hand has written listed', async () => {
    const { sha256 } = createApiKey();
    await redis.hset(apiKeyRedisKey(sha256), { clientId: 'old', status: 'active' });
    expect((await registry.listing.list({ limit: 10 })).keys).toEqual([]);
    const usage = new ApiKeyUsage(redis);
    usage.note(new KnownKey(await registry.listing.show(sha256)), now);
    await usage.flush();
    const { keys } = await registry.listing.list({ clientId: 'old', limit: 10 });
    expect(keys).toMatchObject([{ sha256, lastUsedAt: now }]);
  });
});
