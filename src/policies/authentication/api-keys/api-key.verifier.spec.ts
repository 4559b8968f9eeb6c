import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { startStageServer, type StageServer } from '../../../../test/support/stage-server.ts';
import { createRedis } from '../../../store/redis.ts';
import { createApiKey, hashApiKey } from './api-key.ts';
import { apiKeyRedisKey } from './api-key.hash.ts';
import { saveApiKey } from './api-key.index.ts';
import type { ApiKeyRecord } from './api-key.store.ts';
import { AuthenticationStageFactory } from '../authentication.stage.ts';
import { Identity } from '../identity.ts';
import { identitySchema } from '../identity.schema.ts';

const FRESH_MS = 5000;
const OUTAGE_MS = 60_000;
/** The clock of the test is long over for Redis. */
const KEEP_MS = 10_000_000_000_000;
const silent = { info: () => undefined, warn: () => undefined };
const configuredKey = createApiKey();
const disabledKey = createApiKey();

let server: RedisServer;
let admin: Redis;
let redis: Redis;
let gate: StageServer;
let now: number;

async function gateFor(client: Redis | undefined): Promise<StageServer> {
  const apiKeys = [
    { sha256: configuredKey.sha256, clientId: 'configured', roles: ['user'], tier: 'free' },
    { sha256: disabledKey.sha256, clientId: 'disabled', enabled: false },
  ];
  const identity = new Identity(identitySchema.parse({ apiKeys }), { redis: client, clock: () => now });
  const policies = { authentication: { schemes: ['apiKey' as const] } };
  const stage = new AuthenticationStageFactory(identity).compile({ routeId: 'r', door: 'proxy', policies });
  return startStageServer(stage === undefined ? [] : [stage]);
}

const present = (key: string) => gate.get({ 'X-API-Key': key });
const recordOf = (sha256: string): ApiKeyRecord => ({
  sha256,
  clientId: 'mobile',
  status: 'active',
  tier: 'pro',
  roles: ['user', 'odd, role'],
  permissions: ['orders:read'],
  scopes: ['api'],
  tenant: 'acme',
});

/** Makes a key and stores it. */
async function storedKey(change: Partial<ApiKeyRecord> = {}): Promise<{ key: string; sha256: string }> {
  const created = createApiKey();
  await saveApiKey(admin, { ...recordOf(created.sha256), ...change }, KEEP_MS);
  return created;
}

/** How many look-ups Redis has seen. */
async function lookUps(): Promise<number> {
  return Number(/cmdstat_hgetall:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
}

beforeAll(async () => {
  server = await startRedis();
  admin = server.client();
});

beforeEach(async () => {
  now = 1_000_000;
  redis = createRedis(server.url, silent);
  await new Promise<void>((resolve) => redis.once('ready', () => resolve()));
  gate = await gateFor(redis);
});

afterEach(async () => {
  server.resume();
  redis.disconnect();
  await gate.stop();
});

afterAll(() => server.stop());

describe('an API key', () => {
  it('is looked up by its hash and names its client', async () => {
    const { key, sha256 } = await storedKey();
    expect((await present(key)).body['principal']).toEqual({
      id: 'mobile',
      scheme: 'apiKey',
      clientId: 'mobile',
      apiKeyId: sha256,
      roles: ['user', 'odd, role'],
      permissions: ['orders:read'],
      scopes: ['api'],
      tenant: 'acme',
      tier: 'pro',
      claims: {},
    });
  });

  it('is stored nowhere in clear', async () => {
    const { key, sha256 } = await storedKey();
    expect(await admin.exists(apiKeyRedisKey(sha256))).toBe(1);
    for (const name of await admin.keys('*')) {
      const value = name.startsWith('apikey:') ? admin.hgetall(name) : admin.zrange(name, '0', '-1');
      expect(name + JSON.stringify(await value)).not.toContain(key);
    }
  });

  it('may come in the Authorization header', async () => {
    const { key } = await storedKey();
    expect((await gate.get({ authorization: `ApiKey ${key}` })).status).toBe(200);
    expect((await gate.get({ authorization: `apikey ${key}` })).status).toBe(200);
  });

  it('may be written by hand, with commas', async () => {
    const { key, sha256 } = createApiKey('live');
    await admin.hset(apiKeyRedisKey(sha256), {
      clientId: 'x',
      status: 'active',
      roles: 'a, b,',
      permissions: '[broken',
    });
    expect((await present(key)).body['principal']).toMatchObject({ roles: ['a', 'b'], permissions: [] });
  });

  it('of the configuration needs no Redis', async () => {
    const alone = await gateFor(undefined);
    const answer = await alone.get({ 'x-api-key': configuredKey.key });
    expect(answer.body).toMatchObject({
      principal: { id: 'configured', roles: ['user'] },
      synchronous: true,
    });
    expect((await alone.get({ 'x-api-key': createApiKey().key })).body['code']).toBe('credentials-invalid');
    await alone.stop();
  });

  it.each<[string, () => Promise<string>]>([
    ['unknown', async () => createApiKey().key],
    ['disabled', async () => (await storedKey({ status: 'disabled' })).key],
    ['disabled in the configuration', async () => disabledKey.key],
    ['too short', async () => 'gh_x'],
    ['too long', async () => 'k'.repeat(300)],
    ['empty', async () => ''],
    ['two keys', async () => `${configuredKey.key}, ${configuredKey.key}`],
    [
      'not of its record',
      async () => {
        const { key, sha256 } = createApiKey();
        await admin.hset(apiKeyRedisKey(sha256), { clientId: 'x' });
        return key;
      },
    ],
  ])('is refused when it is %s, always with the same words', async (_what, keyOf) => {
    const answer = await present(await keyOf());
    expect([answer.status, answer.body['code']]).toEqual([401, 'credentials-invalid']);
    expect(answer.body['detail']).toBe('The API key is not valid.');
    expect(answer.headers['www-authenticate']).toBe('ApiKey realm="gatehouse"');
  });

  it.each<[string, Partial<ApiKeyRecord>, number, string]>([
    ['revoked', { status: 'revoked' }, 403, 'credentials-revoked'],
    ['revoked, and expired as well', { status: 'revoked', expiresAt: 1 }, 403, 'credentials-revoked'],
    ['expired', { expiresAt: 1_000_000 }, 401, 'credentials-expired'],
    ['about to expire', { expiresAt: 1_000_001 }, 200, ''],
    ['for other addresses', { addresses: ['10.0.0.0/8', '::1'] }, 403, 'address-denied'],
    ['for this address', { addresses: ['127.0.0.1/32'] }, 200, ''],
    ['for no address at all', { addresses: [] }, 401, 'credentials-invalid'],
  ])('that is %s is answered as that', async (_what, change, status, code) => {
    const { key } = await storedKey(change);
    for (let i = 0; i < 2; i += 1) {
      const answer = await present(key);
      expect([answer.status, answer.body['code'] ?? '']).toEqual([status, code]);
    }
  });

  it('ends at its moment, though it is remembered as good', async () => {
    const { key } = await storedKey({ expiresAt: now + 1000 });
    expect((await present(key)).status).toBe(200);
    now += 1000;
    expect((await present(key)).body['code']).toBe('credentials-expired');
  });

  it('costs the same work, whether it is unknown, disabled, revoked, expired or good', async () => {
    const keys = [
      createApiKey().key,
      ...(
        await Promise.all(
          [{ status: 'disabled' as const }, { status: 'revoked' as const }, { expiresAt: 1 }, {}].map(
            storedKey,
          ),
        )
      ).map(({ key }) => key),
    ];
    for (const key of keys) {
      const before = await lookUps();
      await present(key);
      expect(await lookUps()).toBe(before + 1);
      await present(key);
      expect(await lookUps()).toBe(before + 1);
    }
  });

  it.each([
    ['expiresAt', 'soon'],
    ['addresses', '["127.0.0.1","everywhere"]'],
    ['addresses', '[broken'],
    ['rateLimit', '{"rate":0}'],
    ['rateLimit', 'many'],
  ])('that a hand has bounded by a broken %s (%s) is refused', async (field, value) => {
    Logger.overrideLogger(false);
    const { key, sha256 } = await storedKey();
    await admin.hset(apiKeyRedisKey(sha256), field, value);
    expect((await present(key)).body['code']).toBe('credentials-invalid');
  });

  it('is refused when it comes twice', async () => {
    const { key } = await storedKey();
    expect((await gate.get({ 'x-api-key': [key, key] })).body['code']).toBe('credentials-invalid');
    for (const authorization of [`ApiKey ${key}`, 'apikey', 'APIKEY other'])
      expect((await gate.get({ 'x-api-key': key, authorization })).body['code']).toBe('credentials-invalid');
    // What is of another scheme is another credential.
    for (const authorization of ['Basic YTpi', 'ApiKeys a', ''])
      expect((await gate.get({ 'x-api-key': key, authorization })).status).toBe(200);
  });
});

describe('the checksum of a key', () => {
  const other = (text: string, at: number) =>
    text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);

  it('has every mistyped key refused without a look-up', async () => {
    const { key } = await storedKey();
    const before = await lookUps();
    const typos = [
      ...Array.from({ length: key.length - 3 }, (_, i) => other(key, i + 3)).filter(
        (text) => text.split('_').length === 4,
      ),
      key.slice(0, -1),
      `${key}a`,
      key.slice(0, 20) + key.slice(21),
      key.slice(0, 20) + key[21] + key[20] + key.slice(22),
    ].filter((text) => text !== key);
    for (const typo of typos) expect((await present(typo)).body['code']).toBe('credentials-invalid');
    expect(typos.length).toBeGreaterThan(55);
    expect(await lookUps()).toBe(before);
    expect((await present(key)).status).toBe(200);
  });

  it.each([
    ['an older one of ours', `gh_live_${'x'.repeat(43)}`],
    ['one with other parts', 'gh_a_b_c-d_e_f_g_h_i'],
    ['one of somebody else', 'sk-live-0123456789'],
  ])('is not asked of %s', async (_what, key) => {
    await saveApiKey(admin, recordOf(hashApiKey(key)), KEEP_MS);
    expect((await present(key)).status).toBe(200);
  });
});

describe('a record that is no hash', () => {
  it.each([
    ['a string', (name: string) => admin.set(name, 'x')],
    ['a list', (name: string) => admin.rpush(name, 'x')],
  ])('(%s) refuses its key, logged once, and no other', async (_, store) => {
    const said: string[] = [];
    Logger.overrideLogger({ log: () => {}, error: () => {}, warn: (text: string) => said.push(text) });
    const broken = createApiKey();
    await store(apiKeyRedisKey(broken.sha256));
    const good = await storedKey();
    for (let i = 0; i < 3; i += 1) {
      now += 6000;
      expect((await present(broken.key)).status).toBe(401);
      expect((await present(createApiKey().key)).status).toBe(401);
      expect((await present(good.key)).status).toBe(200);
    }
    Logger.overrideLogger(false);
    expect(said).toEqual([expect.stringContaining(`apikey:${broken.sha256} is no hash`)]);
    expect(said.join()).not.toContain(broken.key);
  });
});

describe('the memory for API keys', () => {
  it('costs Redis one look-up per key in 5 s, for good keys and bad', async () => {
    const [good, bad] = [(await storedKey()).key, createApiKey().key];
    const before = await lookUps();
    await Promise.all(Array.from({ length: 20 }, () => present(good)));
    for (let i = 0; i < 20; i += 1) await present(bad);
    expect((await present(good)).body['synchronous']).toBe(true);
    expect(await lookUps()).toBe(before + 2);
    now += FRESH_MS;
    await present(good);
    expect(await lookUps()).toBe(before + 3);
  });

  it('lets go of a disabled key and takes a new one within 5 s', async () => {
    const { key, sha256 } = await storedKey();
    const later = createApiKey();
    expect([(await present(key)).status, (await present(later.key)).status]).toEqual([200, 401]);
    await admin.hset(apiKeyRedisKey(sha256), 'status', 'disabled');
    await saveApiKey(admin, recordOf(later.sha256), KEEP_MS);
    now += FRESH_MS;
    expect([(await present(key)).status, (await present(later.key)).status]).toEqual([401, 200]);
  });
});

describe('Redis being away', () => {
  async function expectOutage(key: string): Promise<void> {
    const stranger = await present(createApiKey().key);
    expect([stranger.status, stranger.body['code']]).toEqual([503, 'identity-unavailable']);
    expect(stranger.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    now += FRESH_MS;
    expect((await present(key)).status).toBe(200);
    now += OUTAGE_MS - FRESH_MS - 1;
    expect((await present(key)).status).toBe(200);
    now += 1;
    expect((await present(key)).status).toBe(503);
    expect((await present(configuredKey.key)).status).toBe(200);
  }

  it('leaves known keys working for a minute when it stalls, and heals', async () => {
    const { key } = await storedKey();
    await present(key);
    server.pause();
    await expectOutage(key);
    server.resume();
    // Redis is looked at again by itself.
    while ((await present(key)).status !== 200) {
      now += OUTAGE_MS;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it('leaves known keys working for a minute when it dies', async () => {
    const { key } = await storedKey();
    await present(key);
    await server.kill();
    await expectOutage(key);
    await server.restart();
  });

  it('does not ask a store that just failed', async () => {
    server.pause();
    await present(createApiKey().key);
    expect(
      (await Promise.all([1, 2, 3].map(() => present(createApiKey().key)))).map((one) => one.status),
    ).toEqual([503, 503, 503]);
    server.resume();
    const before = await lookUps();
    await present(createApiKey().key);
    expect(await lookUps()).toBe(before);
    now += 1000;
    expect((await present(createApiKey().key)).status).toBe(401);
  });
});

describe('createApiKey', () => {
  it('makes keys that can be told apart and never repeat', () => {
    const keys = Array.from({ length: 100 }, () => createApiKey());
    expect(new Set(keys.map(({ key }) => key)).size).toBe(100);
    for (const { key, prefix, sha256 } of keys) {
      expect(key).toMatch(/^gh_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
      expect(key.startsWith(`gh_${prefix}_`)).toBe(true);
      expect(sha256).toBe(hashApiKey(key));
    }
  });

  it('takes a prefix and refuses an odd one', () => {
    expect(createApiKey('live').key).toMatch(/^gh_live_/);
    expect(() => createApiKey('a_b')).toThrow('letters and digits');
  });

  it('hashes with SHA-256', () => {
    expect(hashApiKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
