import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady } from '../../store/redis.ts';
import { StoreGuard } from '../../store/store-guard.ts';
import { QuotaCalendar } from './quota-calendar.ts';
import type { QuotaTerms } from './quota-count.ts';
import { MemoryQuotas } from './quota-counters.memory.ts';
import { RedisQuotas } from './quota-counters.redis.ts';
import { CursorFault, FirstOf, type ListingPage, type ListingQuery } from './quota-listing.ts';
import { RedisListing } from './quota-listing.redis.ts';
import { quotaKeyOf, subjectOfKey } from './quota-subject.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
const ID = 'daily:day:UTC';
const calendar = new QuotaCalendar('day', 'UTC');
const terms = (cost = 1): QuotaTerms => ({
  name: 'daily', mode: 'soft', limit: 1000, cost, carryOver: 0, warnAt: 1, calendar,
}); // prettier-ignore
const ALL: ListingQuery = { id: ID, contains: '', byUse: false, limit: 10, cursor: undefined };

let server: RedisServer;
let plain: Redis;
let redis: Redis;
let guard: StoreGuard;

beforeAll(async () => {
  server = await startRedis();
  plain = server.client();
  redis = createRedis(server.url, SILENT);
  guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 10_000 });
  expect(await whenReady(redis, 10_000)).toBe(true);
});
afterAll(async () => {
  guard.close();
  closeRedis(redis);
  await server.stop();
});

/** Who counts, and who lists what was counted. */
interface Place {
  take(key: string, cost: number): unknown;
  page(query: ListingQuery): ListingPage | Promise<ListingPage>;
}

const PLACES: Readonly<Record<string, () => Place>> = {
  'in this process': () => {
    const memory = new MemoryQuotas();
    return {
      take: (key, cost) => memory.take([key], [terms(cost)]),
      page: (query) => memory.page(query, terms()),
    };
  },
  'in Redis': () => {
    const quotas = new RedisQuotas(redis, guard);
    const listing = new RedisListing(redis);
    return {
      take: (key, cost) => quotas.take([key], [terms(cost)]),
      page: (query) => listing.page(query, terms()),
    };
  },
};

describe.each(Object.entries(PLACES))('those who have used something of a quota %s', (_where, open) => {
  let place: Place;
  beforeEach(async () => {
    await plain.flushall();
    place = open();
  });
  const names = ({ used }: ListingPage): string[] => used.map(({ key }) => subjectOfKey(key)).sort();
  const use = async (subject: string, cost = 1, id = ID): Promise<void> =>
    void (await place.take(quotaKeyOf(subject, id), cost));

  it('are listed page by page, each once, and nobody else', async () => {
    const subjects = Array.from({ length: 57 }, (_, i) => `user:jwt::${i}`);
    for (const one of subjects) await use(one);
    await use('user:jwt::other', 1, 'monthly:month:UTC');
    const found: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined; pages === 0 || cursor !== undefined; pages += 1) {
      const page = await place.page({ ...ALL, cursor });
      expect(page.used.length).toBeLessThanOrEqual(10);
      expect(page.isWhole).toBe(page.next === undefined);
      found.push(...names(page));
      cursor = page.next;
    }
    expect(found.sort()).toEqual(subjects.sort());
    expect(pages).toBe(6);
  });

  it('are found by a part of their names, whatever is in it', async () => {
    for (const one of ['tenant:a:acme', 'tenant:b:acme', 'tenant:a:globex', 'key:a*e', 'key:}x\\', '[q]?'])
      await use(one);
    const found = async (contains: string): Promise<string[]> =>
      names(await place.page({ ...ALL, contains }));
    expect(await found('acme')).toEqual(['tenant:a:acme', 'tenant:b:acme']);
    expect(await found('a*e')).toEqual(['key:a*e']);
    expect(await found('}x\\')).toEqual(['key:}x\\']);
    expect(await found('[q]?')).toEqual(['[q]?']);
    expect(await found('ACME')).toEqual([]);
  });

  it('can be listed by use, the most first, on one page', async () => {
    for (const [i, cost] of [3, 9, 1, 7, 5].entries()) await use(`s${i}`, cost);
    const page = await place.page({ ...ALL, byUse: true, limit: 3 });
    expect(page.used.map(({ used }) => used)).toEqual([9, 7, 5]);
    expect(page).toMatchObject({ next: undefined, isWhole: true });
    const [most] = page.used;
    expect([most?.carried, (most?.end ?? 0) - (most?.start ?? 0)]).toEqual([0, 86_400]);
  });

  it.each(['', '!', 'bm9uc2Vuc2U', Buffer.from('["gone:1","5",""]').toString('base64url')])(
    'are not listed from a cursor that is none: %s',
    async (cursor) => {
      await use('s');
      await expect(async () => place.page({ ...ALL, cursor })).rejects.toThrow(CursorFault);
    },
  );
});

describe('a listing in Redis', () => {
  it('passes over what is no quota, and what is of another window, among many other keys', async () => {
    await plain.flushall();
    const quotas = new RedisQuotas(redis, guard);
    const others = Array.from({ length: 5000 }, (_, i) => [`other:${i}`, 'x']).flat();
    await plain.mset(...others);
    await plain.set(`quota:${quotaKeyOf('text', ID)}`, 'x');
    await plain.hset(`quota:${quotaKeyOf('broken', ID)}`, String(calendar.bordersAt(Date.now() / 1000)[2]), 'x'); // prettier-ignore
    await plain.hset(`quota:${quotaKeyOf('old', ID)}`, '1000', '5:0:0');
    for (const one of ['a', 'b', 'c']) await quotas.take([quotaKeyOf(one, ID)], [terms()]);
    const page = await new RedisListing(redis).page({ ...ALL, limit: 2 }, terms());
    expect(page.used).toHaveLength(2);
    const rest = await new RedisListing(redis).page({ ...ALL, cursor: page.next }, terms());
    const all = [...page.used, ...rest.used].map(({ key }) => subjectOfKey(key));
    expect(all.sort()).toEqual(['a', 'b', 'c']);
    expect(rest.next).toBeUndefined();
  });

  it('ends a page after so many keys, and goes on from there', async () => {
    await plain.flushall();
    const quotas = new RedisQuotas(redis, guard);
    await plain.eval("for i = 1, 5000 do redis.call('SET', 'other:' .. i, '') end", 0);
    await quotas.take([quotaKeyOf('a', ID)], [terms()]);
    const listing = new RedisListing(redis, 3);
    const first = await listing.page(ALL, terms());
    expect([first.isWhole, first.next === undefined]).toEqual([false, false]);
    const second = await listing.page({ ...ALL, cursor: first.next }, terms());
    expect([...first.used, ...second.used].map(({ key }) => subjectOfKey(key))).toEqual(['a']);
    expect(await listing.page({ ...ALL, byUse: true }, terms())).toMatchObject({ isWhole: false });
  });
});

describe('the first of many', () => {
  it('are the first, and it keeps no more than twice as many', () => {
    const first = new FirstOf<number>(3, (a, b) => a - b);
    for (let i = 1000; i > 0; i -= 1) first.add(i);
    expect(first.list()).toEqual([1, 2, 3]);
    expect(first.isCut).toBe(true);
    const few = new FirstOf<number>(3, (a, b) => a - b);
    few.add(1);
    expect([few.list(), few.isCut]).toEqual([[1], false]);
  });
});
