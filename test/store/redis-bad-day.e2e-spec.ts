import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/listeners/free-port.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import type { RedisAccess } from '../../src/config/redis-access.ts';
import { RedisTokenBucket } from '../../src/policies/rate-limit/token-bucket.redis.ts';
import { PubSub } from '../../src/store/pub-sub.ts';
import { closeRedis, createRedis, lineOf, pingAll, whenReady } from '../../src/store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../src/store/store-guard.ts';
import { certificate } from '../support/certificates.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { GroupNode } from '../support/redis-group.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const ends: (() => Promise<unknown> | void)[] = [];
const lines: string[] = [];
const log = {
  info: (_fields: object, message: string) => void lines.push(message),
  warn: (_fields: object, message: string) => void lines.push(message),
};

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  lines.length = 0;
});

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await sleep(2);
}

function open(url: string, access?: RedisAccess): Redis {
  const redis = createRedis(url, log, access);
  ends.push(() => closeRedis(redis));
  return redis;
}

function guarded(redis: Redis, budgetMs = 10_000): { guard: StoreGuard; switches: string[] } {
  const switches: string[] = [];
  const guard = new StoreGuard({
    probe: () => pingAll(redis),
    budgetMs,
    probeAfterMs: 5,
    line: lineOf(redis),
    onSwitch: (state, reason, use) => switches.push(`${use} ${state}: ${reason}`),
  });
  ends.push(() => guard.close());
  return { guard, switches };
}

const RULE = { rate: 1, perMs: 3_600_000, burst: 3 };

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** A connection to a Redis that is empty, and what guards it. */
async function connected() {
  const own = open(server.url);
  expect(await whenReady(own, 10_000)).toBe(true);
  await own.flushall();
  return { redis: own, ...guarded(own) };
}

const take = async (buckets: RedisTokenBucket, key = 'k') => {
  const outcome = await buckets.take(key, RULE, 1);
  return outcome === STORE_UNAVAILABLE ? 'unavailable' : outcome.allowed;
};

describe('a limit in a Redis', () => {
  it('whose scripts or data are flushed begins anew, and fails nobody', async () => {
    const { redis, guard, switches } = await connected();
    const buckets = new RedisTokenBucket(redis, guard);
    expect(await take(buckets)).toBe(true);
    await redis.script('FLUSH');
    expect(await take(buckets)).toBe(true);
    await redis.flushall();
    expect([await take(buckets), await take(buckets), await take(buckets), await take(buckets)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(switches).toEqual([]);
  });

  it('with something else under a key counts on, and is not given up', async () => {
    const { redis, guard, switches } = await connected();
    const buckets = new RedisTokenBucket(redis, guard);
    await redis.set('ratelimit:poisoned', 'x');
    await redis.hset('ratelimit:nonsense', { tokens: 'many', last_refill: 'long ago' });
    // Counted as if nothing were there.
    for (const key of ['poisoned', 'nonsense', 'fine']) expect(await take(buckets, key)).toBe(true);
    // Nor is any other key of a wrong type held against Redis, however often it is asked for.
    await redis.hset('texts', { a: '1' });
    for (let turn = 0; turn < 10; turn += 1)
      expect(await guard.run(() => redis.get('texts'))).toBe(STORE_UNAVAILABLE);
    expect(await take(buckets, 'fine')).toBe(true);
    expect(switches).toEqual([]);
  });

  it('that is full is given up once, others use it on, and it is used again by itself', async () => {
    const { redis, guard, switches } = await connected();
    const buckets = new RedisTokenBucket(redis, guard);
    const reads = guard.forUse('reads');
    await redis.config('SET', 'maxmemory', '1');
    for (let turn = 0; turn < 40; turn += 1) {
      expect(await take(buckets)).toBe('unavailable');
      expect(await reads.run(() => redis.get('x'))).toBeNull();
      await sleep(2);
    }
    expect(switches).toEqual(['limits off: OOM']);
    expect(guard.givenUp).toEqual(['limits']);
    await redis.config('SET', 'maxmemory', '0');
    await until(async () => (await take(buckets)) === true);
    expect(switches).toEqual(['limits off: OOM', 'limits on: what it had refused is taken again']);
  });

  it('that has become a replica is connected to anew, and not with each refusal', async () => {
    const { redis, guard } = await connected();
    const buckets = new RedisTokenBucket(redis, guard);
    const plain = server.client();
    await plain.call('REPLICAOF', '127.0.0.1', '1');
    let closed = 0;
    redis.on('close', () => (closed += 1));
    await until(async () => {
      expect(await take(buckets)).toBe('unavailable');
      return closed > 0;
    });
    for (let turn = 0; turn < 20; turn += 1) await take(buckets);
    expect(closed).toBe(1);
    await plain.call('REPLICAOF', 'NO', 'ONE');
    await until(async () => (await take(buckets)) === true);
  });

  it('whose clock jumps gives a burst at most', async () => {
    const { redis, guard } = await connected();
    // Refusals are never remembered.
    let clock = 0;
    const buckets = new RedisTokenBucket(redis, guard, () => (clock += 1000));
    const now = Date.now();
    // As after a jump by a year: backwards, and forwards.
    for (const last of [now + 3e10, now - 3e10]) {
      await redis.hset('ratelimit:k', { tokens: '1', last_refill: String(last) });
      const all: unknown[] = [];
      for (let i = 0; i < 5; i += 1) all.push(await take(buckets));
      expect(all).toEqual(last > now ? [true, false, false, false, false] : [true, true, true, false, false]);
    }
  });
});

describe('a connection', () => {
  it('that nothing comes through any more, without a word, is replaced, and so is the one that only listens', async () => {
    const proxy = await new FaultProxy(server.port).start();
    ends.push(() => proxy.stop());
    const own = open(`redis://127.0.0.1:${proxy.port}`);
    const { guard, switches } = guarded(own, 250);
    const pubSub = new PubSub(own);
    ends.push(() => pubSub.close());
    const heard: string[] = [];
    pubSub.listen('news', (text) => heard.push(text));
    const speaker = server.client();
    const say = async (text: string) => {
      await until(async () => {
        await speaker.publish('gatehouse:events:news', text);
        await sleep(20);
        return heard.includes(text);
      });
    };
    expect(await whenReady(own, 10_000)).toBe(true);
    await say('before');
    proxy.isDeaf = true;
    await until(async () => (await guard.run(() => own.ping())) === STORE_UNAVAILABLE && !guard.available);
    await until(() => lineOf(own)?.isUp === false);
    proxy.isDeaf = false;
    await until(async () => (await guard.run(() => own.ping())) === 'PONG');
    await say('after');
    expect(switches.map((line) => line.split(':')[0])).toEqual(['limits off', 'limits on']);
    expect(lines.map((line) => line.replace(/127\S+/, ''))).toEqual([
      'Redis is connected: ',
      'Redis is not reachable:  silent for too long; reconnecting in the background',
      'Redis is connected: ',
    ]);
  });
});

describe('TLS and users', () => {
  it('has the files of the environment, shows a certificate, checks names, and is a user with few rights', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-redis-tls-'));
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const ca = certificate({ name: 'ca', isAuthority: true });
    const own = certificate({ name: 'redis', hosts: ['redis.internal'], by: ca });
    const client = certificate({ name: 'gateway', usage: 'client', by: ca });
    const port = await freePort();
    const caFile = file('ca.pem', ca.cert);
    const args = [
      '--port',
      '0',
      '--tls-port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      folder,
    ];
    const tls = [
      '--tls-ca-cert-file',
      caFile,
      '--tls-cert-file',
      file('own.pem', own.cert),
      '--tls-key-file',
      file('own.key', own.key),
    ];
    const users = ['--user', 'default', 'off', '--user', 'gateway', 'on', '>hunter2', ...RIGHTS.split(' ')];
    const redisServer = await new GroupNode(port, [...args, ...tls, ...users]).start();
    ends.push(() => redisServer.kill());
    const files = {
      REDIS_CA_FILE: caFile,
      REDIS_CERT_FILE: file('client.pem', client.cert),
      REDIS_KEY_FILE: file('client.key', client.key),
      REDIS_PASSWORD_FILE: file('password', 'hunter2\n'),
    };
    const url = `rediss://gateway@127.0.0.1:${port}`;
    const environment = readEnvironment({ REDIS_URL: url, REDIS_SERVER_NAME: 'redis.internal', ...files });
    const redis = open(url, environment.redisAccess);
    expect(await whenReady(redis, 10_000)).toBe(true);
    const { guard } = guarded(redis);
    const buckets = new RedisTokenBucket(redis, guard);
    expect([await take(buckets), await take(buckets), await take(buckets), await take(buckets)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    await expect(redis.flushall()).rejects.toThrow('NOPERM');
    await expect(redis.get('others')).rejects.toThrow('NOPERM');
    lines.length = 0;
    const { redisAccess = {} } = environment;
    for (const access of [
      { ...redisAccess, serverName: 'other.internal' },
      { ...redisAccess, ca: undefined },
      { ...redisAccess, cert: undefined, key: undefined },
      { ...redisAccess, password: 'wrong' },
    ]) {
      const refused = open(url, access);
      await until(() => lines.length > 0);
      expect(lines[0]).toMatch(
        /^Redis is not reachable: 127\.0\.0\.1:\d+: (ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|ERR_SSL_\w+|ECONNRESET|WRONGPASS|EPROTO)/,
      );
      closeRedis(refused);
      lines.length = 0;
    }
  });

  /** What docs/redis.md says that a user needs. */
  const RIGHTS =
    '~ratelimit:* ~apikey* ~revoked:* ~dpop:* ~gatehouse:* ~canary:* ~audit:waiting ~idempotency:* &gatehouse:* &__redis__:invalidate +@all -@admin -@dangerous +info +client|tracking';
});

describe('REDIS_URL', () => {
  const faults = (env: Record<string, string>): string => {
    try {
      readEnvironment(env);
      return '';
    } catch (error) {
      return String(error);
    }
  };

  it.each([
    ['redis://one,two', 'redis+sentinel:// or redis+cluster:// where there are several hosts'],
    ['redis+sentinel://one:26379,two', 'the name of the master after the Sentinels'],
    ['redis+cluster://one,two/1', 'no database: a Redis Cluster has one'],
    ['redis+cluster://one,,two', 'a host name'],
    ['redis://one/first', 'nothing but the number of a database'],
    ['redis://one?db=1', 'no query'],
    ['redis://u:%zz@one', 'user and password as in URLs'],
    ['redis+mysql://one', 'redis:// or rediss:// and a host'],
  ])('%s is refused, with what was expected', (REDIS_URL, expected) => {
    expect(faults({ REDIS_URL })).toContain(`REDIS_URL  expected ${expected}`);
  });

  it.each([
    [{ REDIS_CA_FILE: '/x' }, 'REDIS_CA_FILE  expected REDIS_URL beside it'],
    [
      { REDIS_URL: 'redis://one', REDIS_CA_FILE: '/x' },
      'REDIS_CA_FILE  expected REDIS_URL to begin with rediss',
    ],
    [
      { REDIS_URL: 'rediss://one', REDIS_CA_FILE: '/none' },
      'REDIS_CA_FILE  expected a file that can be read (ENOENT)',
    ],
    [{ REDIS_URL: 'rediss://one', REDIS_CA_FILE: 'package.json' }, 'REDIS_CA_FILE  expected a file in PEM'],
    [
      { REDIS_URL: 'rediss://one', REDIS_CERT_FILE: 'package.json' },
      'REDIS_CERT_FILE and REDIS_KEY_FILE together',
    ],
    [
      { REDIS_URL: 'redis://u:p@one', REDIS_PASSWORD_FILE: 'package.json' },
      'no password in REDIS_URL beside it',
    ],
    [{ REDIS_URL: 'redis://one', REDIS_SENTINEL_USERNAME: 'x' }, 'to begin with redis+sentinel'],
  ])('%j is refused', (env, expected) => {
    expect(faults(env)).toContain(expected);
  });
});
