import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { RedisApiKeyStore } from '../policies/authentication/api-keys/api-key.store.redis.ts';
import { hashApiKey } from '../policies/authentication/api-keys/api-key.ts';
import { identitySchema } from '../policies/authentication/identity.schema.ts';
import { createKey } from './keys.ts';

const options = {
  clientId: 'mobile-app',
  roles: ['user', 'admin'],
  permissions: ['orders:write'],
  tier: 'pro',
};

/** Collects what is printed. */
class Paper {
  text = '';

  write(text: string): void {
    this.text += text;
  }

  keys(): string[] {
    return this.text.match(/gh_\w+/g) ?? [];
  }
}

describe('createKey without Redis', () => {
  it('prints the key once, and the configuration that makes it work', async () => {
    const out = new Paper();
    await createKey(options, { out });
    const [key = '', ...again] = out.keys();
    expect(again).toEqual([]);
    const { identity } = parse(out.text.slice(out.text.indexOf('identity:'))) as { identity: unknown };
    expect(identitySchema.parse(identity).apiKeys).toEqual([
      { ...options, scopes: [], sha256: hashApiKey(key), enabled: true },
    ]);
  });

  it('leaves out what the key does not have', async () => {
    const out = new Paper();
    await createKey({ clientId: 'true', roles: [], permissions: [], tier: undefined }, { out });
    expect(out.text).toMatch(/identity:\n {2}apiKeys:\n {4}- sha256: \w{64}\n {6}clientId: "true"\n$/);
  });

  it('makes another key each time', async () => {
    const out = new Paper();
    await createKey(options, { out });
    await createKey(options, { out });
    expect(new Set(out.keys()).size).toBe(2);
  });
});

describe('createKey with Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.stop());

  it('stores the hash, never the key, and prints the key once', async () => {
    const out = new Paper();
    await createKey(options, { redisUrl: server.url, out });
    const [key = '', ...again] = out.keys();
    expect(again).toEqual([]);
    const redis = server.client();
    // Connected: a look-up has no time for that.
    await redis.ping();
    expect(await new RedisApiKeyStore(redis).find(hashApiKey(key))).toEqual({
      ...options,
      scopes: [],
      prefix: key.split('_')[1],
      createdAt: expect.any(Number),
      sha256: hashApiKey(key),
      status: 'active',
    });
    const name = `apikey:${hashApiKey(key)}`;
    expect((await redis.keys('*')).sort()).toEqual([
      name,
      'apikeys',
      'apikeys:client:mobile-app',
      'audit:waiting',
    ]);
    expect(JSON.stringify(await redis.lrange('audit:waiting', 0, -1))).not.toContain(key);
    expect(JSON.stringify(await redis.hgetall(name))).not.toContain(key);
  });

  it('says where it failed, without the password, and prints no key that would not work', async () => {
    const dead = await startRedis();
    await dead.stop();
    const out = new Paper();
    const redisUrl = `redis://admin:hunter2@127.0.0.1:${dead.port}`;
    const failure = await createKey(options, { redisUrl, out }).catch((error: unknown) => String(error));
    expect(failure).toContain(`The key was not stored: Redis at 127.0.0.1:${dead.port}: `);
    expect(failure).toContain('ECONNREFUSED');
    expect(failure).not.toContain('hunter2');
    expect(out.text).toBe('');
  });

  it('prints no key when Redis refuses it, and passes on what Redis said', async () => {
    const admin = server.client();
    await admin.config('SET', 'requirepass', 'hunter2');
    const out = new Paper();
    const redisUrl = server.url.replace('//', '//:wrong-password@');
    const failure = await createKey(options, { redisUrl, out }).catch((error: unknown) => String(error));
    await admin.config('SET', 'requirepass', '');
    expect(failure).toMatch(/The key was not stored: Redis at 127\.0\.0\.1:\d+: (WRONGPASS|NOAUTH)/);
    expect(failure).not.toContain('wrong-password');
    expect(out.text).toBe('');
  });
});
