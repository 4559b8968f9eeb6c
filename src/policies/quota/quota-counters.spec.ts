import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { randomFrom } from '../../../test/support/random.ts';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady } from '../../store/redis.ts';
import { STORE_UNAVAILABLE, StoreGuard } from '../../store/store-guard.ts';
import { QuotaCalendar, type QuotaWindow } from './quota-calendar.ts';
import { MemoryQuotas } from './quota-counters.memory.ts';
import type { QuotaReply } from './quota-counters.ts';
import { RedisQuotas } from './quota-counters.redis.ts';
import type { QuotaMode, QuotaTerms } from './quota-count.ts';
import { tiersSchema } from '../rate-limit/tiers.schema.ts';
import { QuotaLedger } from './quota-ledger.ts';
import { quotaPolicy } from './quota.policy.ts';
import { QuotaStageFactory } from './quota.stage.ts';
import { quotaKeyOf, subjectOfKey } from './quota-subject.ts';
import { QUOTA_SCRIPT } from './quota.lua.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
/** The production script with its clock, and the end of keys by it, replaced by keys. */
const CLOCKLESS = QUOTA_SCRIPT.replace("redis.call('TIME')", "{ redis.call('GET', 'clock'), '0' }")
  .replace("redis.call('EXPIREAT', q.key,", "redis.call('SET', 'until:' .. q.key,")
  .replace(
    'for i, key in ipairs(KEYS) do',
    `for i, key in ipairs(KEYS) do
       if now >= tonumber(redis.call('GET', 'until:' .. key) or '9e99') then redis.call('DEL', key) end`,
  );
const at = (text: string): number => Date.parse(text) / 1000;

function termsOf(window: QuotaWindow, timeZone: string, more: Partial<QuotaTerms> = {}): QuotaTerms {
  const calendar = new QuotaCalendar(window, timeZone);
  return { name: window, mode: 'hard', limit: 10, cost: 1, carryOver: 0, warnAt: 0.8, calendar, ...more };
}

/** What quotas are, in as few words as possible: it counts by the names of windows, and finds borders by looking. */
class Model {
  readonly #used = new Map<string, { used: number; carried: number }>();
  #until = 0;

  constructor(
    private readonly terms: QuotaTerms,
    private readonly labelAt: (seconds: number) => string,
  ) {}

  take(seconds: number, cost: number): { fits: boolean; used: number; carried: number } {
    const { limit, carryOver } = this.terms;
    const label = this.labelAt(seconds);
    if (seconds >= this.#until) this.#used.clear();
    const start = this.#border(seconds, -1) + 1;
    const end = this.#border(seconds, 1);
    const last = this.#used.get(this.labelAt(start - 1));
    const left = last === undefined ? limit : limit + last.carried - last.used;
    const carried = this.#used.size === 0 ? 0 : Math.min(carryOver, left);
    const window = this.#used.get(label) ?? { used: 0, carried };
    const fits = window.used + cost <= limit + window.carried;
    if (fits) window.used += cost;
    this.#used.set(label, window);
    this.#until = end + (carryOver > 0 ? 2 * (end - start) : 3600);
    return { fits, used: window.used, carried: window.carried };
  }

  /** The last second of the window, or that before it; windows change at quarters of an hour only. */
  #border(seconds: number, step: 1 | -1): number {
    const label = this.labelAt(seconds);
    let quarter = Math.floor(seconds / 900) * 900 + (step === 1 ? 900 : -1);
    while (this.labelAt(quarter) === label) quarter += step * 900;
    return quarter;
  }
}

function labelIn(window: QuotaWindow, timeZone: string): (seconds: number) => string {
  const known = new Map<number, string>();
  return (seconds) => {
    const quarter = Math.floor(seconds / 900);
    let label = known.get(quarter);
    if (label === undefined) {
      const text = Temporal.Instant.fromEpochMilliseconds(quarter * 900_000)
        .toZonedDateTimeISO(timeZone)
        .toString({ smallestUnit: 'minute', timeZoneName: 'never' });
      label = { hour: text.slice(0, 13) + text.slice(16), day: text.slice(0, 10), month: text.slice(0, 7) }[
        window
      ];
      known.set(quarter, label);
    }
    return label;
  };
}

/** From where, and how far a step goes at most: so that windows are hit often, seldom, and not at all. */
const WALKS: readonly [QuotaWindow, string, string, number][] = [
  ['hour', 'Europe/Berlin', '2026-10-24T20:00:00Z', 900],
  ['hour', 'Australia/Lord_Howe', '2026-04-04T10:00:00Z', 700],
  ['hour', 'Australia/Lord_Howe', '2026-10-03T10:00:00Z', 8000],
  ['day', 'Europe/Berlin', '2026-03-26T00:00:00Z', 20_000],
  ['day', 'America/Santiago', '2026-09-03T00:00:00Z', 150_000],
  ['month', 'UTC', '2028-01-20T00:00:00Z', 400_000],
  ['month', 'Europe/Berlin', '2026-01-20T00:00:00Z', 3_000_000],
];

describe('quotas against a model', () => {
  it.each(WALKS)(
    'counts like it in windows of an %s of %s from %s on, by steps of %d s',
    (window, zone, from, step) => {
      for (const carryOver of [0, 5, 10]) {
        const random = randomFrom(carryOver + step);
        const terms = termsOf(window, zone, { carryOver });
        const model = new Model(terms, labelIn(window, zone));
        let seconds = at(from);
        const memory = new MemoryQuotas({ now: () => seconds * 1000 });
        for (let i = 0; i < (window === 'month' ? 30 : 150); i += 1) {
          const cost = 1 + Math.floor(random() * 3);
          const [count] = memory.take(['k'], [{ ...terms, cost }]).counts;
          expect({ i, ...count }).toMatchObject({ i, ...model.take(seconds, cost) });
          seconds += random() < 0.1 ? 0 : Math.floor(random() * step);
        }
      }
    },
  );

  it('admits no more than the limit of a window, wherever the clock jumps by one', () => {
    const random = randomFrom(7);
    const terms = termsOf('hour', 'UTC');
    let seconds = at('2026-01-01T12:30:00Z');
    const memory = new MemoryQuotas({ now: () => seconds * 1000 });
    const admitted = new Map<number, number>();
    for (let i = 0; i < 2000; i += 1) {
      const [count] = memory.take(['k'], [terms]).counts;
      if (count?.fits === true) admitted.set(count.start, (admitted.get(count.start) ?? 0) + 1);
      seconds = at('2026-01-01T12:30:00Z') + Math.floor(random() * 3600);
    }
    expect([...admitted.values()]).toEqual([10, 10]);
  });
});

describe('the place of a quota', () => {
  it('is of one subject, whatever is in its name, and tells who that is', () => {
    const subjects = ['a', 'a}', 'a}}', 'a%7D', 'a\\7D', 'a\\5C7D', 'a\\', '}', '{a'];
    const keys = subjects.map((one) => quotaKeyOf(one, 'daily'));
    expect(new Set(keys).size).toBe(subjects.length);
    expect(keys.map(subjectOfKey)).toEqual(subjects);
  });
});

describe('tiers of a quota', () => {
  it('are those of the file, where it has some', () => {
    const tiers = tiersSchema.parse({ pro: { rate: 1 } });
    const compile = (byTier: object, known?: typeof tiers) => {
      const quota = quotaPolicy.schema.parse({ limit: 1, window: 'day', withoutRedis: 'memory', byTier });
      const factory = new QuotaStageFactory(new QuotaLedger());
      return factory.compile({ routeId: 'r', door: 'proxy', policies: { quota }, tiers: known });
    };
    expect(compile({ pro: 5 }, tiers)).toBeDefined();
    expect(compile({ gold: 5 })).toBeDefined();
    expect(() => compile({ pr0: 5 }, tiers)).toThrow(
      expect.objectContaining({ key: ['quota', 'byTier', 'pr0'], suggestion: 'pro' }),
    );
  });
});

describe('counters in this process', () => {
  it('have their part of what was left while the store is away, and nothing is used up by that', () => {
    const memory = new MemoryQuotas({ now: () => at('2026-01-01T12:30:00Z') * 1000 });
    const terms = termsOf('hour', 'UTC', { limit: 20 });
    const start = at('2026-01-01T12:00:00Z');
    const learned = { fits: true, used: 8, carried: 0, start, end: start + 3600, news: 0 };
    const alone = (key: string, among: number, more: Partial<QuotaTerms> = {}) =>
      memory.take([key], [memory.shareOf(key, { ...terms, ...more }, among)]).counts[0];
    memory.learn('a', terms, learned);
    const fates = Array.from({ length: 5 }, () => alone('a', 3));
    expect(fates.map((one) => one?.fits)).toEqual([true, true, true, true, false]);
    expect(fates.at(-1)).toMatchObject({ used: 12, news: 0 });
    // Of what nobody knows it has its part of all, of what is nearly used up one request, and of what is used up nothing.
    expect(Array.from({ length: 8 }, () => alone('b', 3)?.fits).filter(Boolean)).toHaveLength(6);
    memory.learn('c', terms, { ...learned, used: 19 });
    expect([alone('c', 3)?.fits, alone('c', 3)?.fits]).toEqual([true, false]);
    memory.learn('d', terms, { ...learned, used: 20 });
    expect(alone('d', 3)?.fits).toBe(false);
    expect(alone('d', 3, { mode: 'soft' })).toMatchObject({ used: 21 });
  });

  it('drop what is over, and keep no more than they may', () => {
    let seconds = at('2026-01-01T12:00:00Z');
    const memory = new MemoryQuotas({ now: () => seconds * 1000, max: 100 });
    const terms = termsOf('hour', 'UTC');
    for (let i = 0; i < 100; i += 1) memory.take([`a${i}`], [terms]);
    for (let i = 0; i < 9; i += 1) memory.take(['a0'], [terms]);
    for (let i = 0; i < 500; i += 1) memory.take([`b${i}`], [terms]);
    expect(memory.size).toBe(100);
    // The one that has used most is the last to be forgotten.
    expect(memory.take(['a0'], [terms]).counts[0]?.fits).toBe(false);
    seconds += 3 * 3600;
    for (let i = 0; i < 100; i += 1) memory.take([`c${i}`], [terms]);
    expect(memory.size).toBeLessThanOrEqual(101);
  });

  it('keep nothing for who only looks, or is refused by another quota', () => {
    const memory = new MemoryQuotas();
    const terms = termsOf('day', 'UTC');
    memory.take(['k'], [{ ...terms, mode: 'look' }]);
    memory.take(['k', 'full'], [terms, { ...terms, limit: 0, cost: 1 }]);
    expect(memory.take(['k'], [{ ...terms, mode: 'look' }]).counts[0]?.used).toBe(0);
    expect(memory.size).toBe(1);
  });
});

describe('quotas in Redis', () => {
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

  /** Counters whose Redis goes by another clock. */
  async function clockless(now: () => number): Promise<RedisQuotas> {
    await plain.flushall();
    const quotas = new RedisQuotas(redis, guard, undefined, now);
    redis.defineCommand('countQuotas', { lua: CLOCKLESS });
    return quotas;
  }

  it('are counted as in this process, whatever is asked, and in whatever order', async () => {
    const random = randomFrom(3);
    const modes: QuotaMode[] = ['hard', 'hard', 'hard', 'soft', 'shadow', 'look', 'reset', 'back'];
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    let seconds = at('2026-10-24T20:00:00Z');
    const stored = await clockless(() => seconds * 1000);
    const memory = new MemoryQuotas({ now: () => seconds * 1000 });
    const kinds = [
      termsOf('hour', 'Europe/Berlin', { carryOver: 5 }),
      termsOf('day', 'America/Santiago', { limit: 40, carryOver: 13, warnAt: 0.33 }),
      termsOf('month', 'Europe/Berlin', { limit: 300 }),
    ];
    for (let i = 0; i < 600; i += 1) {
      const some = kinds.filter(() => random() < 0.7);
      const asked = some.map((terms) => ({
        ...terms,
        mode: pick(modes),
        cost: 1 + Math.floor(random() * 4),
      }));
      const keys = asked.map(({ name }) => `{s${Math.floor(random() * 2)}}:${name}`);
      if (asked.length === 0) continue;
      await plain.set('clock', seconds);
      const expected = memory.take(keys, asked);
      expect({ i, counts: ((await stored.take(keys, asked)) as QuotaReply).counts }).toEqual({
        i,
        counts: expected.counts,
      });
      seconds += random() < 0.05 ? -1800 : Math.floor(random() * 2500);
    }
  });

  it('go by the clock of Redis, also where ours is months off', async () => {
    const stored = await clockless(() => at('2026-01-01T00:00:00Z') * 1000);
    await plain.set('clock', at('2026-07-15T12:00:00Z'));
    const terms = termsOf('day', 'UTC');
    const { counts, nowMs } = (await stored.take(['{s}:d'], [terms])) as QuotaReply;
    expect(nowMs).toBe(at('2026-07-15T12:00:00Z') * 1000);
    expect(counts[0]).toMatchObject({
      used: 1,
      start: at('2026-07-15T00:00:00Z'),
      end: at('2026-07-16T00:00:00Z'),
    });
  });

  it('begin anew under a key of another type, a broken value, and after FLUSHALL', async () => {
    const stored = await clockless(Date.now);
    await plain.set('clock', Math.floor(Date.now() / 1000));
    const terms = termsOf('month', 'UTC', { carryOver: 5 });
    const used = async (): Promise<number | undefined> =>
      ((await stored.take(['{s}:m'], [terms])) as QuotaReply).counts[0]?.used;
    await plain.set('quota:{s}:m', 'text');
    expect(await used()).toBe(1);
    expect(await used()).toBe(2);
    const [field = ''] = await plain.hkeys('quota:{s}:m');
    await plain.hset('quota:{s}:m', field, 'nonsense');
    expect(await used()).toBe(1);
    await plain.flushall();
    await plain.set('clock', Math.floor(Date.now() / 1000));
    expect(await used()).toBe(1);
    expect(guard.available).toBe(true);
  });

  it('count what was let pass elsewhere with the next call, once', async () => {
    const now = at('2026-01-01T12:30:00Z');
    const stored = await clockless(() => now * 1000);
    await plain.set('clock', now);
    const terms = termsOf('hour', 'UTC');
    stored.owe('{s}:h', at('2026-01-01T12:00:00Z'), 3);
    stored.owe('{s}:h', at('2026-01-01T12:00:00Z'), 2);
    // Of a window that is over.
    stored.owe('{t}:h', at('2026-01-01T11:00:00Z'), 5);
    const used = async (key: string): Promise<number | undefined> =>
      ((await stored.take([key], [terms])) as QuotaReply).counts[0]?.used;
    expect([await used('{s}:h'), await used('{s}:h'), await used('{t}:h')]).toEqual([6, 7, 1]);
  });

  it('are taken by all or by none, by any number of replicas at once', async () => {
    await plain.flushall();
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => {
        const own = createRedis(server.url, SILENT);
        expect(await whenReady(own, 10_000)).toBe(true);
        return { own, quotas: new RedisQuotas(own, guard) };
      }),
    );
    const terms = [termsOf('month', 'UTC', { limit: 50 }), termsOf('month', 'UTC', { limit: 30 })];
    const replies = await Promise.all(
      Array.from({ length: 120 }, (_, i) => replicas[i % 3]?.quotas.take(['{s}:wide', '{t}:narrow'], terms)),
    );
    const admitted = replies.filter((one) => (one as QuotaReply).counts.every(({ fits }) => fits)).length;
    expect(admitted).toBe(30);
    const last = (await replicas[0]?.quotas.take(
      ['{s}:wide'],
      [{ ...(terms[0] as QuotaTerms), mode: 'look' }],
    )) as QuotaReply;
    expect(last.counts[0]?.used).toBe(30);
    for (const key of await plain.keys('quota:*')) expect(await plain.pttl(key)).toBeGreaterThan(0);
    for (const { own } of replicas) closeRedis(own);
  });

  it('are counted by one subject after the other on a cluster, and given back where one refuses', async () => {
    await plain.flushall();
    const quotas = new RedisQuotas(redis, guard);
    // What a node of a cluster says to keys of several slots.
    const split = `local first = string.match(KEYS[1], '{(.-)}')
      for _, key in ipairs(KEYS) do
        if string.match(key, '{(.-)}') ~= first then return redis.error_reply("CROSSSLOT Keys don't hash to the same slot") end
      end ${QUOTA_SCRIPT}`;
    redis.defineCommand('countQuotas', { lua: split });
    const [wide, narrow, tried] = [
      termsOf('month', 'UTC'),
      termsOf('month', 'UTC', { limit: 2 }),
      termsOf('month', 'UTC', { mode: 'shadow' }),
    ] as const;
    const take = async (): Promise<readonly (readonly [boolean, number])[]> => {
      const outcome = await quotas.take(['{s}:wide', '{t}:narrow', '{s}:tried'], [wide, narrow, tried]);
      return (outcome as QuotaReply).counts.map(({ fits, used }) => [fits, used]);
    };
    await take();
    expect(await take()).toEqual([
      [true, 2],
      [true, 2],
      [true, 2],
    ]);
    const after = [
      [true, 2],
      [false, 2],
      [true, 2],
    ];
    expect([await take(), await take()]).toEqual([after, after]);
    expect(await quotas.take(['{s}:wide'], [wide])).toMatchObject({ counts: [{ used: 3 }] });
  });

  it('repeat a refusal without asking, until there is more again', async () => {
    await plain.flushall();
    redis.defineCommand('countQuotas', { lua: QUOTA_SCRIPT });
    const [quotas, other] = [new RedisQuotas(redis, guard), new RedisQuotas(redis, guard)];
    const terms = termsOf('month', 'UTC', { limit: 1 });
    const calls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await plain.info('commandstats'))?.[1] ?? 0);
    const ask = async (more: Partial<QuotaTerms> = {}): Promise<boolean | undefined> =>
      ((await quotas.take(['{s}:m'], [{ ...terms, ...more }])) as QuotaReply).counts[0]?.fits;
    expect([await ask(), await ask()]).toEqual([true, false]);
    const before = await calls();
    for (let i = 0; i < 50; i += 1) expect(await ask()).toBe(false);
    expect(await calls()).toBe(before);
    // A larger limit holds at once, and so does what is given back or reset; also by another replica, as soon as it tells.
    expect(await ask({ limit: 2 })).toBe(true);
    expect([await ask(), await ask({ mode: 'back' }), await ask(), await ask()]).toEqual([
      false,
      true,
      false,
      false,
    ]);
    await quotas.take(['{s}:m'], [{ ...terms, mode: 'reset' }]);
    expect([await ask(), await ask()]).toEqual([true, false]);
    await other.take(['{s}:m'], [{ ...terms, mode: 'reset' }]);
    quotas.forget(['{s}:m']);
    expect(await ask()).toBe(true);
  });

  it('tell who waits that Redis does not answer, within the budget', async () => {
    const own = createRedis(server.url, SILENT);
    expect(await whenReady(own, 10_000)).toBe(true);
    const short = new StoreGuard({ probe: () => own.ping(), budgetMs: 20, probeAfterMs: 60_000 });
    const news: number[] = [];
    const quotas = new RedisQuotas(own, short, (_key, _terms, { news: bits }) => news.push(bits));
    server.pause();
    const outcome = quotas.take(['{late}:m'], [termsOf('month', 'UTC', { limit: 1 })]);
    expect(await outcome).toBe(STORE_UNAVAILABLE);
    server.resume();
    // What happens for the first time is told, although nobody waits for the answer any more.
    while (news.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(news).toEqual([1]);
    short.close();
    closeRedis(own);
  });
});
