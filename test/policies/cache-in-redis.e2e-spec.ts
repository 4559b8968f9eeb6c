import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Answer, type CallOptions } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { apiKeyOf, CountingService, keyedConfig, type KeyedCaller } from '../support/keyed.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const HOST = 'shop.example';
const BINARY = Buffer.from([0, 255, 13, 10, 0, 128, 36, 10]);

const BODIES: Readonly<Record<string, string | Buffer>> = {
  binary: BINARY,
  medium: 'x'.repeat(600 * 1024),
  large: 'x'.repeat(2 ** 20),
};

let redis: RedisServer;
let client: Redis;
let service: CountingService;
let gateways: readonly [TestGateway, TestGateway];
let asked = 0;
let isHolding = false;
const held: (() => void)[] = [];

function answer({ url = '', method, headers }: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = url.split('?');
  const text = `${(asked += 1)} ${headers['accept-language'] ?? ''}`;
  const fields = Object.fromEntries(new URLSearchParams(query));
  const send = (): void => {
    response.writeHead(
      method === 'GET' ? 200 : 204,
      method === 'GET' ? { etag: `"${asked}"`, ...fields } : {},
    );
    if (method !== 'GET') response.end();
    else response.end(BODIES[path.split('/').at(-1) ?? ''] ?? text);
  };
  if (isHolding && method === 'GET') held.push(send);
  else send();
}

const start = (config: string): Promise<TestGateway> =>
  startGateway({ config, environment: { REDIS_URL: redis.url, REDIS_TIMEOUT: '1s' } });

beforeAll(async () => {
  redis = await startRedis(true);
  client = redis.client();
  await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  while (!String(await client.cluster('INFO')).includes('cluster_state:ok')) await sleep(5);
  service = await new CountingService().start();
  service.upstream.listener = answer;
  const cache = { ttl: '1h', scope: 'public', store: 'shared', maxBody: '4MiB' };
  const open = { authentication: 'public' };
  const config = keyedConfig(service, {
    routes: {
      '/shared/*': { ...open, cache },
      '/own/*': { cache: { ...cache, scope: 'principal' } },
      '/memory/*': { ...open, cache: { ...cache, store: 'memory' } },
    },
  });
  const both = JSON.stringify({
    ...(JSON.parse(config) as object),
    cache: { memory: '32MiB', redis: '2MiB' },
  });
  gateways = await Promise.all([start(both), start(both)]);
  // The first ones may take longer than a request waits for Redis.
  for (let at = 0; (await keysOf()).length === 0; at += 1) await ask(0, `/shared/warm/${at}`);
}, 20_000);

afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  await service.stop();
  await redis.stop();
});

type At = 0 | 1;
const ask = (at: At, path: string, { headers, ...options }: CallOptions = {}): Promise<Answer> =>
  call(gateways[at].url + path, { ...options, headers: { host: HOST, ...headers } });
const keysOf = (): Promise<string[]> => client.keys('cache:*:*');

/** Has one gateway store an answer, and Redis have it. */
async function stored(at: At, path: string, options?: CallOptions): Promise<Answer> {
  const before = new Set(await keysOf());
  const first = await ask(at, path, options);
  while ((await keysOf()).every((key) => before.has(key))) await sleep(2);
  return first;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

const purge = (at: At, order: object): Promise<Answer> =>
  call(`${gateways[at].adminUrl}/cache/purge`, {
    method: 'POST',
    body: JSON.stringify(order),
    headers: { 'content-type': 'application/json' },
  });

describe('an answer that one replica has stored', () => {
  it('is given by the other, byte by byte, and no younger than it is', async () => {
    await stored(0, '/shared/binary?age=100&cache-control=max-age=1000&x-more=a%20b');
    const before = asked;
    const { body, headers } = await ask(1, '/shared/binary?age=100&cache-control=max-age=1000&x-more=a%20b');
    expect(body).toEqual(BINARY);
    expect(headers).toMatchObject({ 'x-cache': 'HIT', 'x-more': 'a b' });
    expect(Number(headers['age'])).toBeGreaterThanOrEqual(100);
    expect(Number(headers['age'])).toBeLessThan(200);
    expect(asked).toBe(before);
    const counts = (await call(`${gateways[1].adminUrl}/metrics`)).text;
    expect(counts).toMatch(/gatehouse_cache_requests_total\{[^}]*result="shared"[^}]*\} 1/);
  });

  it.each<[string, CallOptions, object]>([
    ['HEAD', { method: 'HEAD' }, { status: 200, text: '' }],
    ['a range', { headers: { range: 'bytes=0-0' } }, { status: 206 }],
    ['only-if-cached', { headers: { 'cache-control': 'only-if-cached' } }, { status: 200 }],
    ['what the client has', { headers: { 'if-none-match': '*' } }, { status: 304 }],
  ])('answers %s there', async (name, options, expected) => {
    const path = `/shared/${encodeURIComponent(name)}`;
    await stored(0, path);
    const before = asked;
    expect(await ask(1, path, options)).toMatchObject(expected);
    expect(asked).toBe(before);
  });

  it('is found by what it varies by, and no other', async () => {
    const path = '/shared/vary?vary=accept-language';
    const of = (language: string) => ({ headers: { 'accept-language': language } });
    const german = await stored(0, path, of('de'));
    expect((await ask(1, path, of('de'))).text).toBe(german.text);
    expect((await ask(1, path, of('en'))).text).not.toBe(german.text);
    expect((await ask(0, path, of('de'))).text).toBe(german.text);
  });

  it('is of its principal only', async () => {
    const as = (caller: KeyedCaller) => ({ headers: { 'x-api-key': apiKeyOf(caller) } });
    const mine = await stored(0, '/own/a', as('ann'));
    for (const other of ['bob', 'ann of another tenant'] as const)
      expect((await ask(1, '/own/a', as(other))).text).not.toBe(mine.text);
    expect((await ask(1, '/own/a', as('ann'))).text).toBe(mine.text);
    expect((await client.keys('*')).join()).not.toMatch(/own|ann|shop/);
  });

  it('is asked about by all at once as one, where it is not there', async () => {
    const before = asked;
    isHolding = true;
    const all = Array.from({ length: 20 }, () => ask(1, '/shared/cold'));
    await until(() => Promise.resolve(held.length > 0));
    isHolding = false;
    for (const send of held.splice(0)) send();
    expect(new Set((await Promise.all(all)).map(({ text }) => text)).size).toBe(1);
    expect(asked).toBe(before + 1);
  });

  it('stays in its process where it is too large for Redis, or asked for by no-store', async () => {
    await ask(0, '/shared/large');
    await ask(0, '/shared/large');
    await ask(0, '/shared/not', { headers: { 'cache-control': 'no-store' } });
    await stored(0, '/shared/after');
    const before = asked;
    expect((await ask(1, '/shared/large')).headers['x-cache']).toBeUndefined();
    expect((await ask(1, '/shared/not')).headers['x-cache']).toBeUndefined();
    expect(asked).toBe(before + 2);
  });
});

describe('what ends it', () => {
  it.each<[string, string, (path: string) => Promise<unknown>]>([
    ['a request that changes something', '', (path) => ask(0, path, { method: 'POST' })],
    ['a purge by key', '', (path) => purge(0, { key: HOST + path })],
    ['a purge by prefix', '', () => purge(0, { prefix: `${HOST}/shared/` })],
    ['a purge by tag', '?cache-tag=red', () => purge(0, { tag: 'red' })],
    ['a soft purge by key', '', (path) => purge(0, { key: HOST + path, soft: true })],
    ['a soft purge by tag', '?cache-tag=blue', () => purge(0, { tag: 'blue', soft: true })],
  ])('%s ends it in Redis and in the other replica, also on its way', async (name, query, end) => {
    const path = `/shared/${encodeURIComponent(name)}${query}`;
    const old = await stored(0, path);
    expect((await ask(1, path)).text).toBe(old.text);
    await end(path);
    expect((await ask(0, path)).text).not.toBe(old.text);
    await until(async () => (await ask(1, path)).text !== old.text);
    // Asked for before, answered after: nobody is given it later.
    const other = path.replace('/shared/', '/shared/late/');
    isHolding = true;
    const late = ask(1, other);
    await until(() => Promise.resolve(held.length > 0));
    isHolding = false;
    await end(other);
    for (const send of held.splice(0)) send();
    const { text } = await late;
    expect((await ask(0, other)).text).not.toBe(text);
  });

  it('gives up what it has in the process when news may have been missed', async () => {
    const paths = ['/memory/a', '/shared/b'];
    const before = await Promise.all(paths.map((path) => ask(1, path)));
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(async () => (await ask(1, '/memory/a')).text !== before[0]?.text);
    // In Redis it has not ended.
    expect((await ask(1, '/shared/b')).text).toBe(before[1]?.text);
  });
});

describe('a Redis that is not well', () => {
  it.each<[string, (key: string) => Promise<unknown>]>([
    ['garbage', (key) => client.set(key, 'garbage')],
    ['nothing', (key) => client.set(key, '')],
    ['another type', (key) => client.del(key).then(() => client.lpush(key, 'a'))],
    ['a value that is cut', async (key) => client.set(key, (await valueOf(key)).subarray(0, -1), 'PX', 1000)],
    ['one bit', async (key) => client.set(key, flipped(await valueOf(key)), 'KEEPTTL')],
    ['one without an end', async (key) => client.set(key, await valueOf(key))],
    ['far too much', (key) => client.set(key, 'x'.repeat(2 * 2 ** 20))],
    [
      'that of another caller',
      async (key) => {
        const others = (await keysOf()).filter((one) => one !== key);
        // Not those that were spoiled before.
        const types = await Promise.all(others.map((one) => client.type(one)));
        const other = others[types.indexOf('string')] ?? '';
        return client.set(key, await valueOf(other), 'PX', 3_500_000);
      },
    ],
  ])('has %s under a key: the service is asked', async (name, spoil) => {
    const path = `/shared/bad/${encodeURIComponent(name)}`;
    const known = new Set(await keysOf());
    const old = await stored(0, path);
    const [key = ''] = (await keysOf()).filter((one) => !known.has(one));
    await spoil(key);
    expect(await ask(1, path)).toMatchObject({
      status: 200,
      text: expect.not.stringMatching(`^${old.text}$`),
    });
  });

  it('forgets everything: what is here is given, and what is not is asked for', async () => {
    const old = await stored(0, '/shared/flushed');
    await client.flushall();
    expect((await ask(0, '/shared/flushed')).text).toBe(old.text);
    expect((await ask(1, '/shared/flushed')).text).not.toBe(old.text);
  });

  it('holds no more of one process than it may', async () => {
    await client.flushall();
    const paths = [1, 2, 3, 4, 5].map((at) => `/shared/${at}/medium`);
    for (const path of paths) await stored(0, path);
    // Of 2 MiB, each takes 600 KiB.
    await until(async () => (await keysOf()).length <= 3);
    expect((await ask(1, paths[4] as string)).headers['x-cache']).toBe('HIT');
    expect((await ask(1, paths[0] as string)).headers['x-cache']).toBeUndefined();
  });

  it('stalls, and dies: answers go on, and what changed meanwhile is told when it is back', async () => {
    const path = '/shared/stalled';
    const old = await stored(0, path);
    expect((await ask(1, path)).text).toBe(old.text);
    redis.pause();
    try {
      expect((await ask(1, '/shared/stalled/cold')).status).toBe(200);
      expect((await ask(0, path, { method: 'POST' })).status).toBe(204);
      expect((await ask(0, path)).text).not.toBe(old.text);
    } finally {
      redis.resume();
    }
    await until(async () => (await ask(1, path)).text !== old.text);
    await redis.kill();
    expect((await ask(0, '/shared/dead')).status).toBe(200);
    expect((await ask(0, '/shared/dead')).headers['x-cache']).toBe('HIT');
  });
});

const valueOf = async (key: string): Promise<Buffer> => (await client.getBuffer(key)) ?? Buffer.alloc(0);

function flipped(value: Buffer): Buffer {
  const other = Buffer.from(value);
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  return other;
}
