import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { createExchange } from '../../../test/support/exchange.ts';
import { PubSub } from '../../store/pub-sub.ts';
import { AnswerStore, type Entry } from './answer-store.ts';
import { CacheNews } from './cache-news.ts';

interface Replica {
  readonly store: AnswerStore;
  readonly pubSub: PubSub;
  readonly news: CacheNews;
}

let server: RedisServer;
let redis: Redis;
let replicas: readonly [Replica, Replica];

const replica = (): Replica => {
  const [store, pubSub] = [new AnswerStore(), new PubSub(redis)];
  store.isUsed = true;
  return { store, pubSub, news: new CacheNews(store, { pubSub }) };
};

beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
  replicas = [replica(), replica()];
});
afterAll(async () => {
  for (const { news, pubSub } of replicas) {
    news.close();
    pubSub.close();
  }
  await server.stop();
});

const entry = (store: AnswerStore, tag?: string): Entry => ({
  answer: { status: 200, headers: [], body: Buffer.from('a') },
  lines: undefined,
  vary: [],
  variant: '',
  storedAt: Date.now(),
  freshUntil: Date.now() + 60_000,
  mayBeStale: true,
  revalidateUntil: Date.now() + 60_000,
  standInUntil: Date.now() + 60_000,
  keptUntil: Date.now() + 60_000,
  mustValidate: false,
  isImmutable: false,
  validators: [],
  tags: tag === undefined ? [] : store.tags.marksOf([tag]),
});

const isThere = ({ store }: Replica, uri: string) => {
  const found = store.peek({ uri, caller: 'c' }, () => '');
  return found !== undefined && found.freshUntil > Date.now();
};

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

it.each<[string, string, (of: Replica) => unknown]>([
  [
    'an unsafe request',
    'localhost/a',
    ({ store }) => {
      const exchange = createExchange({ method: 'POST', target: '/a' });
      store.watch(exchange);
      exchange.outdates?.answered(exchange, 200, []);
    },
  ],
  ['a purge by key', 'h/b?x', ({ news }) => news.purge([{ by: 'key', value: 'h/b?x' }])],
  ['a purge by prefix', 'h/c/d', ({ news }) => news.purge([{ by: 'prefix', value: 'h/c' }])],
  ['a purge by tag', 'h/e', ({ news }) => news.purge([{ by: 'tag', value: 'red' }])],
  ['a soft purge by key', 'h/f', ({ news }) => news.purge([{ by: 'key', value: 'h/f', soft: true }])],
  ['a soft purge by tag', 'h/g', ({ news }) => news.purge([{ by: 'tag', value: 'red', soft: true }])],
])('%s reaches other replicas, and ends nothing else', async (_, uri, end) => {
  const [here, there] = replicas;
  await Promise.all([here.news.listening, there.news.listening]);
  for (const { store } of replicas) {
    store.set({ uri, caller: 'c' }, entry(store, 'red'));
    store.set({ uri: 'h/kept', caller: 'c' }, entry(store, 'blue'));
  }
  await end(here);
  expect(isThere(here, uri)).toBe(false);
  await until(() => !isThere(there, uri));
  expect(replicas.map((one) => isThere(one, 'h/kept'))).toEqual([true, true]);
});

it('says when others could not be told', async () => {
  const [{ store }] = replicas;
  const broken = { publish: () => Promise.reject(new Error('gone')), listen: () => () => undefined };
  const alone = new CacheNews(new AnswerStore(), { pubSub: undefined });
  expect(await alone.purge([{ by: 'key', value: 'h' }])).toEqual({ keys: 0, reach: 'here' });
  const deaf = new CacheNews(store, { pubSub: broken as unknown as PubSub });
  expect(await deaf.purge([{ by: 'key', value: 'h/kept' }])).toEqual({ keys: 1, reach: 'not-everywhere' });
});
