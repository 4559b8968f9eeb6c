import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Redis } from 'ioredis';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { Cache } from '../../../policies/cache/cache.policy.ts';
import { RedisTokenBucket } from '../../../policies/rate-limit/token-bucket.redis.ts';
import { SharedTexts } from '../../../store/shared-texts.ts';
import { StoreGuard } from '../../../store/store-guard.ts';
import { StoreModule } from '../../../store/store.module.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { getFrom, postTo } from '../graphql-client.fixture.ts';
import { PersistedQueries } from './persisted-queries.ts';
import { sha256 } from './trusted-documents.ts';

@Resolver()
class HashResolver {
  count = 0;

  @Cache({ ttl: '1m', scope: 'public' })
  @Query(() => String)
  shared(): string {
    return 'shared';
  }

  @Cache({ ttl: '10s' })
  @Query(() => String)
  mine(): string {
    return 'mine';
  }

  @Query(() => String)
  fresh(@Args('say', { type: () => String, defaultValue: 'fresh' }) say: string): string {
    return say;
  }

  @Mutation(() => String)
  write(): string {
    return `written ${(this.count += 1)}`;
  }
}

const modules = [{ module: class HashModule {}, providers: [HashResolver] }];
const LARGE = `query Large { ${Array.from({ length: 30 }, (_, i) => `f${i}: fresh`).join(' ')} }`;
const PUBLIC = 'query Public { shared }';
const log = { info: () => {}, warn: () => {} };

let server: RedisServer;
let redis: Redis;
let folder: string;
let first: BffApp;
let second: BffApp;
let strict: BffApp;
beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-documents-'));
  await writeFile(join(folder, 'large.graphql'), LARGE);
  await writeFile(join(folder, 'public.gql'), PUBLIC);
  await writeFile(join(folder, 'notes.txt'), 'no document');
  const store = StoreModule.forRoot({ redisUrl: server.url, budgetMs: 500, log });
  const trustedDocuments = { path: folder, only: false };
  first = await startBff({ modules: [...modules, store], graphql: { maxAliases: 5, trustedDocuments } });
  second = await startBff({
    modules: [...modules, StoreModule.forRoot({ redisUrl: server.url, budgetMs: 500, log })],
  });
  strict = await startBff({ modules, graphql: { trustedDocuments: { path: folder, only: true } } });
});
afterAll(async () => {
  await Promise.all([first.stop(), second.stop(), strict.stop(), rm(folder, { recursive: true })]);
  await server.stop();
});

const persistedQuery = (query: string) => ({ version: 1, sha256Hash: sha256(query) });

describe('trusted documents', () => {
  it('are run by their hash, over POST and GET, whatever their size', async () => {
    const documentId = sha256(LARGE);
    for (const { body } of [
      await postTo(first.url, { documentId }),
      await getFrom(first.url, { documentId: `sha256:${documentId}` }),
      await postTo(first.url, { extensions: { persistedQuery: persistedQuery(LARGE) } }),
    ]) {
      expect(body.data).toMatchObject({ f29: 'fresh' });
    }
    expect((await postTo(first.url, { query: LARGE })).body.errors?.[0]?.message).toContain('5 aliases');
  });

  it('are not guessed: an unknown or malformed id is refused', async () => {
    const unknown = await postTo(first.url, { documentId: sha256('{ nothing }') });
    expect(unknown.body.errors?.[0]?.message).toContain('no trusted document');
    for (const documentId of ['abc', 7, null, ['x'], { toString: 1 }]) {
      const { status, body } = await postTo(first.url, { documentId });
      expect([status, body.errors?.[0]?.message]).toEqual([400, expect.stringContaining('SHA-256')]);
    }
  });

  it('are all that is run where nothing else may be', async () => {
    expect((await postTo(strict.url, { documentId: sha256(PUBLIC) })).body.data).toEqual({
      shared: 'shared',
    });
    for (const asked of [
      { query: '{ shared }' },
      { query: PUBLIC },
      { query: '{ shared }', extensions: { persistedQuery: persistedQuery('{ shared }') } },
    ]) {
      const { body } = await postTo(strict.url, asked);
      expect(body.data).toBeUndefined();
      expect(body.errors?.[0]?.message).toContain('Only trusted documents');
    }
  });

  it('keep the gateway from starting when one does not fit the schema or its hash', async () => {
    const start = (text: string) => {
      const path = join(folder, 'manifest.json');
      return writeFile(path, text).then(() =>
        startBff({ modules, graphql: { trustedDocuments: { path, only: true } } }),
      );
    };
    await expect(start(JSON.stringify({ [sha256('{ nope }')]: '{ nope }' }))).rejects.toThrow(
      'Cannot query field "nope"',
    );
    await expect(start(JSON.stringify({ [sha256('{ a }')]: '{ shared }' }))).rejects.toThrow(
      'is not the SHA-256',
    );
    await expect(start('{')).rejects.toThrow('is no JSON');
    const good = await start(JSON.stringify({ [sha256(PUBLIC)]: PUBLIC }));
    expect((await postTo(good.url, { documentId: sha256(PUBLIC) })).body.data).toEqual({ shared: 'shared' });
    await good.stop();
  });
});

describe('persisted queries', () => {
  const query = `query Kept${process.pid}x${Date.now()} { fresh(say: "kept") }`;

  it('ask for the text once, then know it in every replica', async () => {
    const asked = { extensions: { persistedQuery: persistedQuery(query) } };
    const missing = await postTo(first.url, asked);
    expect(missing.body.errors).toEqual([
      { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
    ]);
    expect(missing.headers.get('cache-control')).toBe('no-store');
    expect((await postTo(first.url, { ...asked, query })).body.data).toEqual({ fresh: 'kept' });
    expect((await postTo(first.url, asked)).body.data).toEqual({ fresh: 'kept' });
    // A store that is slow for a moment is not waited for: the text is asked for again, as clients do.
    let other = await getFrom(second.url, asked);
    while (other.body.errors?.[0]?.message === 'PersistedQueryNotFound')
      other = await getFrom(second.url, asked);
    expect(other.body.data).toEqual({ fresh: 'kept' });
    await redis.del(`graphql:apq:${sha256(query)}`);
    expect((await postTo(second.url, asked)).body.data).toEqual({ fresh: 'kept' });
  });

  it('refuse a text that is not that of the hash, and never believe the store', async () => {
    const wrong = { query: '{ mine }', extensions: { persistedQuery: persistedQuery('{ shared }') } };
    expect((await postTo(first.url, wrong)).body.errors?.[0]?.message).toContain('not the SHA-256');
    const poisoned = `{ poisoned${Date.now()}: mine }`;
    await redis.set(`graphql:apq:${sha256(poisoned)}`, 'mutation { write }');
    const { body } = await postTo(first.url, { extensions: { persistedQuery: persistedQuery(poisoned) } });
    expect(body.errors?.[0]?.message).toBe('PersistedQueryNotFound');
    await redis.del(`graphql:apq:${sha256(poisoned)}`);
  });

  it('do not keep what is not valid, and never mutate over GET', async () => {
    const broken = '{ nope }';
    await postTo(first.url, { query: broken, extensions: { persistedQuery: persistedQuery(broken) } });
    expect(await redis.get(`graphql:apq:${sha256(broken)}`)).toBeNull();
    const mutation = `mutation M${Date.now()} { write }`;
    const extensions = { persistedQuery: persistedQuery(mutation) };
    expect((await postTo(first.url, { query: mutation, extensions })).body.data).toEqual({
      write: 'written 1',
    });
    expect((await getFrom(first.url, { extensions })).status).toBe(405);
  });
});

describe('what persisted queries keep', () => {
  /** With what is counted beside each text, seven of them are half a share of one, and nineteen of all. */
  const SHARES = { perPrincipal: 20_000, inStore: 50_000 };
  const OF_ONE = 7;
  const OF_ALL = 19;
  let guard: StoreGuard;
  beforeAll(() => void (guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 2000 })));
  afterAll(() => guard.close());
  const replica = (): PersistedQueries =>
    new PersistedQueries(
      { store: new SharedTexts(redis, guard), limiter: new RedisTokenBucket(redis, guard) },
      SHARES,
    );
  const textOf = (owner: string, i: number): string => `{ mine } # ${owner} ${i} `.padEnd(1000, 'x');

  /** How many of the texts of an owner a replica knows. */
  async function known(queries: PersistedQueries, owner: string): Promise<number> {
    const found = Array.from({ length: 20 }, (_, i) => queries.find(sha256(textOf(owner, i))));
    return (await Promise.all(found)).filter((text) => text !== undefined).length;
  }

  function keepAll(queries: PersistedQueries, owner: string): void {
    for (let i = 0; i < 20; i += 1) queries.keep(sha256(textOf(owner, i)), textOf(owner, i), owner);
  }

  const inStore = async (owner: string): Promise<number> =>
    redis.exists(Array.from({ length: 20 }, (_, i) => `graphql:apq:${sha256(textOf(owner, i))}`));

  async function untilInStore(owner: string, count: number): Promise<void> {
    while ((await inStore(owner)) < count) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await inStore(owner)).toBe(count);
  }

  it('is a share for each principal, here and in the store, and a bound for all in the store', async () => {
    const here = replica();
    keepAll(here, 'ada');
    expect(await known(here, 'ada')).toBe(OF_ONE);
    await untilInStore('ada', OF_ONE);
    // Another replica counts along, and keeps what it is sent in its own memory only.
    const there = replica();
    for (let i = 19; i >= 10; i -= 1) there.keep(sha256(textOf('ada', i)), textOf('ada', i), 'ada');
    expect(await known(there, 'ada')).toBe(2 * OF_ONE);
    await untilInStore('ada', OF_ONE);
    keepAll(here, 'bob');
    await untilInStore('bob', OF_ONE);
    keepAll(here, 'eve');
    expect(await known(here, 'eve')).toBe(OF_ONE);
    await untilInStore('eve', OF_ALL - 2 * OF_ONE);
  });

  it('costs once, however many replicas are sent it', async () => {
    const text = textOf('ada', 0);
    const before = await redis.hget('ratelimit:graphql:apq:all', 'tokens');
    replica().keep(sha256(text), text, 'fay');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(Number(await redis.hget('ratelimit:graphql:apq:all', 'tokens'))).toBe(Number(before));
  });

  it('is a share for each principal where there is no store', async () => {
    const alone = new PersistedQueries(undefined, SHARES);
    keepAll(alone, 'ada');
    keepAll(alone, 'bob');
    expect([await known(alone, 'ada'), await known(alone, 'bob')]).toEqual([OF_ONE, OF_ONE]);
  });
});

describe('the cache header of a GET by hash', () => {
  const cacheOf = async (query: string, headers = {}): Promise<string | null> => {
    const extensions = { persistedQuery: persistedQuery(query) };
    await postTo(first.url, { query, extensions });
    return (await getFrom(first.url, { extensions }, headers)).headers.get('cache-control');
  };

  it('is the shortest of its fields, public only when all are and nobody is known', async () => {
    expect(await cacheOf('{ shared }')).toBe('public, max-age=60');
    expect(await cacheOf('{ shared }', { 'x-test-user': 'ada' })).toBe('private, max-age=60');
    expect(await cacheOf('{ shared mine }')).toBe('private, max-age=10');
    expect(await cacheOf('{ shared ...F } fragment F on Query { mine }')).toBe('private, max-age=10');
    expect(await cacheOf('{ shared fresh }')).toBe('no-store');
  });

  it('is not there for a text in the address', async () => {
    expect((await getFrom(first.url, { query: '{ shared }' })).headers.get('cache-control')).toBeNull();
  });
});
