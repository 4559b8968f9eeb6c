import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, type Answer, type CallOptions } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { CountingService, keyedConfig } from '../support/keyed.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const HOST = 'shop.example';
const SECRET = 'a secret word that is in each answer';
const KEYS = 'k'.repeat(32);
const TEXT = `${SECRET} `.repeat(500);

let folder: string;
let redis: RedisServer;
let client: Redis;
let service: CountingService;
let gateways: readonly [TestGateway, TestGateway];
let asked = 0;
let isDown = false;

function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  asked += 1;
  if (isDown) return void response.writeHead(503).end();
  const query = Object.fromEntries(new URLSearchParams(url.split('?')[1]));
  const isKnown = headers['if-none-match'] === '"a"';
  response.writeHead(isKnown ? 304 : 200, { etag: '"a"', 'content-type': 'text/plain', ...query });
  response.end(isKnown ? undefined : TEXT);
}

/** Starts a gateway whose answers in Redis are encrypted with a secret. */
function start(secret: string): Promise<TestGateway> {
  const file = join(folder, secret.slice(0, 1));
  writeFileSync(file, secret);
  const cache = { ttl: '1h', scope: 'public', store: 'shared', staleIfError: '1h' };
  const routes = {
    '/shared/*': { authentication: 'public', cache },
    '/coded/*': { authentication: 'public', cache, compression: {} },
  };
  const config = JSON.stringify({
    ...(JSON.parse(keyedConfig(service, { routes })) as object),
    cache: { encryptionKeysFile: file },
  });
  return startGateway({ config, environment: { REDIS_URL: redis.url } });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cache-purges-'));
  redis = await startRedis();
  client = redis.client();
  service = await new CountingService().start();
  service.upstream.listener = answer;
  gateways = await Promise.all([start(KEYS), start(KEYS)]);
  // The first ones may take longer than a request waits for Redis.
  for (let at = 0; (await keysOf()).length === 0; at += 1) await ask(0, `/shared/warm/${at}`);
}, 30_000);

afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  await service.stop();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const askAt = (
  { url }: TestGateway,
  path: string,
  { headers, ...options }: CallOptions = {},
): Promise<Answer> => call(url + path, { ...options, headers: { host: HOST, ...headers } });
const ask = (at: 0 | 1, path: string, options?: CallOptions): Promise<Answer> =>
  askAt(gateways[at], path, options);
const keysOf = (): Promise<string[]> => client.keys('cache:*:*');
const verdictOf = ({ headers }: Answer): unknown => headers['x-cache'];

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Has one gateway store an answer, and Redis have it. @returns its name there. */
async function stored(path: string): Promise<string> {
  const before = new Set(await keysOf());
  await ask(0, path);
  let found: string | undefined;
  await until(async () => (found = (await keysOf()).find((key) => !before.has(key))) !== undefined);
  return found as string;
}

const purge = (order: object): Promise<Answer> =>
  call(`${gateways[0].adminUrl}/cache/purge`, {
    method: 'POST',
    body: JSON.stringify(order),
    headers: { 'content-type': 'application/json' },
  });

describe('a purge in Redis', () => {
  it('by prefix ends what begins so, and nothing else, also for who was not there', async () => {
    const [inside, beside] = ['/shared/in/a?x=1', '/shared/inner'];
    for (const path of [inside, beside]) await stored(path);
    await purge({ prefix: `${HOST}/shared/in/` });
    const late = await start(KEYS);
    try {
      expect(verdictOf(await askAt(late, beside))).toBe('HIT');
      expect((await askAt(late, inside)).headers['cache-status']).toMatch(/fwd=uri-miss/);
    } finally {
      await late.stop();
    }
    await until(async () => (await ask(1, beside)).headers['x-cache'] === 'HIT');
  });

  it('by many prefixes ends those of before it, and no answer of after it', async () => {
    await stored('/shared/old');
    await purge(Array.from({ length: 100 }, (_, at) => ({ prefix: `${HOST}/none/${at}/` })));
    await stored('/shared/new');
    expect(verdictOf(await ask(1, '/shared/old'))).toBe('HIT');
    await stored('/shared/older');
    await purge(Array.from({ length: 100 }, (_, at) => ({ prefix: `${HOST}/none/${100 + at}/` })));
    // Beyond what is known one by one everything that is older counts as ended; the rest of it is known.
    const late = await start(KEYS);
    try {
      expect(verdictOf(await askAt(late, '/shared/old'))).toBeUndefined();
      expect(verdictOf(await askAt(late, '/shared/older'))).toBe('HIT');
    } finally {
      await late.stop();
    }
  });

  it.each<[string, (path: string) => object]>([
    ['key', (path) => ({ key: HOST + path, soft: true })],
    ['prefix', (path) => ({ prefix: HOST + path.slice(0, -1), soft: true })],
    ['tag', () => ({ tag: 'soft', soft: true })],
  ])('that is soft, by %s, leaves it stale for all: asked about, and standing in', async (by, order) => {
    const path = `/shared/soft-${by}/a?cache-tag=soft`;
    await stored(path);
    expect(verdictOf(await ask(1, path))).toBe('HIT');
    await purge(order(path));
    const late = await start(KEYS);
    try {
      isDown = true;
      await until(async () => verdictOf(await ask(1, path)) === 'STALE');
      expect(verdictOf(await askAt(late, path))).toBe('STALE');
      isDown = false;
      expect(verdictOf(await askAt(late, path))).toBe('REVALIDATED');
      // What one has asked about, the other finds.
      await until(async () => verdictOf(await ask(1, path)) === 'HIT');
    } finally {
      isDown = false;
      await late.stop();
    }
  });
});

describe('an answer in Redis', () => {
  it('is encrypted, and no answer for who has another key, nor when it lies elsewhere', async () => {
    const [key, other] = [await stored('/shared/sealed'), await stored('/shared/sealed-too')];
    const kept = (await client.getBuffer(key)) ?? Buffer.alloc(0);
    expect(kept.includes(SECRET)).toBe(false);
    expect(kept.includes('etag')).toBe(false);
    await client.set(other, kept, 'KEEPTTL');
    const stranger = await start('j'.repeat(32));
    try {
      const before = asked;
      expect(await askAt(stranger, '/shared/sealed')).toMatchObject({ status: 200, text: TEXT });
      expect(asked).toBe(before + 1);
    } finally {
      await stranger.stop();
    }
    expect(await ask(1, '/shared/sealed-too')).toMatchObject({ status: 200, text: TEXT });
  });

  it('is kept compressed, and given as it is kept, or decoded', async () => {
    const key = await stored('/coded/a');
    expect(await client.strlen(key)).toBeLessThan(2000);
    const gzip = await ask(1, '/coded/a', { headers: { 'accept-encoding': 'gzip' } });
    expect(gzip.headers).toMatchObject({ 'content-encoding': 'gzip', 'x-cache': 'HIT', etag: 'W/"a"' });
    const plain = await ask(1, '/coded/a');
    expect(plain.headers).toMatchObject({ 'content-length': String(TEXT.length), etag: '"a"' });
    expect(plain.text).toBe(TEXT);
  });
});
