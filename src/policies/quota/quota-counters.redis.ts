import type { Redis } from 'ioredis';
import { isCluster } from '../../store/redis-cluster.ts';
import type { StoreGuard } from '../../store/store-guard.ts';
import type { QuotaCounters, QuotaListener, QuotaOutcome, QuotaReply } from './quota-counters.ts';
import type { QuotaCount, QuotaTerms } from './quota-count.ts';
import { NUMBERS_PER_QUOTA, QUOTA_SCRIPT } from './quota.lua.ts';
import { RefusalNotes } from './refusal-notes.ts';

interface WithScript {
  /** Sends EVALSHA; ioredis sends the script itself where the server does not know it (yet, or any more). */
  countQuotas(keyCount: number, ...keysAndTerms: (string | number)[]): Promise<number[]>;
}

/** What was let pass while Redis could not be asked, and is not counted there yet. */
interface Debt {
  readonly start: number;
  units: number;
}

/** What stands before the key of a quota in Redis. */
export const KEY_PREFIX = 'quota:';
const MAX_DEBTS = 10_000;
const HEAD = 2;
/** What a cluster, or a proxy before one, says to keys that lie on different nodes. */
const APART = /slot/i;

/**
 * Quotas in Redis, exact over all replicas and as durable as Redis is: one script, Redis' clock, one round trip. The keys of one
 * subject lie on one node of a cluster; where those of a request do not, its subjects are asked one after the other.
 */
export class RedisQuotas implements QuotaCounters {
  readonly #redis: WithScript;
  readonly #guard: StoreGuard;
  readonly #now: () => number;
  readonly #onNews: QuotaListener | undefined;
  readonly #debts = new Map<string, Debt>();
  readonly #notes: RefusalNotes;
  /** A call may not have keys of several subjects: so it is in a Cluster, and what seems to be one server may be one, too. */
  #isSplit: boolean;

  /** @param now a clock in ms since the epoch, which only guesses the window: Redis' own decides. */
  constructor(redis: Redis, guard: StoreGuard, onNews?: QuotaListener, now: () => number = Date.now) {
    redis.defineCommand('countQuotas', { lua: QUOTA_SCRIPT });
    this.#redis = redis as Redis & WithScript;
    this.#isSplit = isCluster(redis);
    this.#guard = guard.forUse('quotas');
    this.#onNews = onNews;
    this.#now = now;
    this.#notes = new RefusalNotes(now);
  }

  /** @param budgetMs how long an answer may take. Default: as long as the guard allows. */
  take(
    keys: readonly string[],
    terms: readonly QuotaTerms[],
    budgetMs?: number,
  ): QuotaOutcome | Promise<QuotaOutcome> {
    return this.#notes.repeated(keys, terms) ?? this.#guard.run(() => this.#noted(keys, terms), budgetMs);
  }

  /** Asks again for quotas of which there may be more than was heard. */
  forget(keys: readonly string[]): void {
    this.#notes.forget(keys);
  }

  /** Takes note of what was counted elsewhere, while this could not be asked: it is counted here with the next call of its window. */
  owe(key: string, start: number, units: number): void {
    const debt = this.#debts.get(key);
    if (debt?.start === start) debt.units += units;
    else this.#debts.set(key, { start, units });
    if (this.#debts.size <= MAX_DEBTS) return;
    for (const oldest of this.#debts.keys()) return void this.#debts.delete(oldest);
  }

  async #noted(keys: readonly string[], terms: readonly QuotaTerms[]): Promise<QuotaReply> {
    const reply = await this.#take(keys, terms);
    this.#notes.hear(keys, terms, reply);
    const more = keys.filter((_, i) => terms[i]?.mode === 'reset' || terms[i]?.mode === 'back');
    if (more.length > 0) this.#notes.forget(more);
    return reply;
  }

  async #take(keys: readonly string[], terms: readonly QuotaTerms[]): Promise<QuotaReply> {
    if (!this.#isSplit || isOfOne(keys)) {
      try {
        return await this.#call(keys, terms);
      } catch (error) {
        // What was refused as a whole has taken nothing.
        if (isOfOne(keys) || !isRefusal(error) || !APART.test(error.message)) throw error;
        this.#isSplit = true;
      }
    }
    return this.#takeApart(keys, terms);
  }

  /** One subject after the other; what they have taken is given back when one of them refuses. */
  async #takeApart(keys: readonly string[], terms: readonly QuotaTerms[]): Promise<QuotaReply> {
    const counts: QuotaCount[] = [];
    const taken: number[] = [];
    let nowMs = 0;
    for (const group of groupsOf(keys)) {
      const groupTerms = group.map((i) => terms[i] as QuotaTerms);
      const reply = await this.#call(
        group.map((i) => keys[i] as string),
        groupTerms,
      );
      nowMs = reply.nowMs;
      group.forEach((i, at) => (counts[i] = reply.counts[at] as QuotaCount));
      if (reply.counts.some(({ fits }, at) => !fits && groupTerms[at]?.mode === 'hard')) {
        return this.#giveBack(keys, terms, { nowMs, counts, taken });
      }
      taken.push(...group);
    }
    return { nowMs, counts };
  }

  async #giveBack(
    keys: readonly string[],
    terms: readonly QuotaTerms[],
    { nowMs, counts, taken }: QuotaReply & { counts: QuotaCount[]; taken: readonly number[] },
  ): Promise<QuotaReply> {
    const change = async (indexes: readonly number[], mode: 'back' | 'look'): Promise<void> => {
      for (const i of indexes) {
        const reply = await this.#call([keys[i] as string], [{ ...(terms[i] as QuotaTerms), mode }]);
        counts[i] = reply.counts[0] as QuotaCount;
      }
    };
    await change(
      taken.filter((i) => terms[i]?.mode !== 'shadow' || counts[i]?.fits === true),
      'back',
    );
    await change(
      keys.flatMap((_, i) => (counts[i] === undefined ? [i] : [])),
      'look',
    );
    return { nowMs, counts };
  }

  async #call(keys: readonly string[], terms: readonly QuotaTerms[]): Promise<QuotaReply> {
    let seconds = Math.floor(this.#now() / 1000);
    for (let isSecond = false; ; isSecond = true) {
      const debts = keys.map((key, i) => this.#debtOf(key, terms[i] as QuotaTerms, seconds));
      const replies = await this.#send(keys, terms, debts, seconds);
      const nowMs = replies[1] as number;
      if (replies[0] === 1) return { nowMs, counts: this.#counts(keys, terms, replies) };
      keys.forEach((key, i) => this.#oweAgain(key, debts[i]));
      if (isSecond) throw new Error('the clock of Redis jumps');
      // Its clock is another one than ours, by more than a window.
      seconds = Math.floor(nowMs / 1000);
    }
  }

  async #send(
    keys: readonly string[],
    terms: readonly QuotaTerms[],
    debts: readonly (Debt | undefined)[],
    seconds: number,
  ): Promise<readonly number[]> {
    const args: (string | number)[] = keys.map((key) => KEY_PREFIX + key);
    terms.forEach(({ mode, limit, cost, carryOver, warnAt, calendar }, i) => {
      args.push(mode, limit, cost, carryOver, warnAt, ...calendar.bordersAt(seconds), debts[i]?.units ?? 0);
    });
    try {
      return await this.#redis.countQuotas(keys.length, ...args);
    } catch (error) {
      // Nobody knows whether it was counted when there was no answer; twice is worse for who pays for it.
      if (isRefusal(error)) keys.forEach((key, i) => this.#oweAgain(key, debts[i]));
      throw error;
    }
  }

  #counts(keys: readonly string[], terms: readonly QuotaTerms[], replies: readonly number[]): QuotaCount[] {
    return keys.map((key, i) => {
      const at = HEAD + i * NUMBERS_PER_QUOTA;
      const [fits, used, carried, start, end, news] = replies.slice(at, at + NUMBERS_PER_QUOTA) as Numbers;
      const count = { fits: fits === 1, used, carried, start, end, news };
      // Also when the answer comes too late for the request: it is told once only.
      if (news > 0) this.#onNews?.(key, terms[i] as QuotaTerms, count);
      return count;
    });
  }

  // Looking changes nothing, and whoever resets forgives what is owed.
  #debtOf(key: string, { mode, calendar }: QuotaTerms, seconds: number): Debt | undefined {
    if (this.#debts.size === 0 || mode === 'look') return undefined;
    const debt = this.#debts.get(key);
    if (debt === undefined) return undefined;
    this.#debts.delete(key);
    return calendar.bordersAt(seconds)[2] === debt.start && mode !== 'reset' ? debt : undefined;
  }

  #oweAgain(key: string, debt: Debt | undefined): void {
    if (debt !== undefined) this.owe(key, debt.start, debt.units);
  }
}

type Numbers = [number, number, number, number, number, number];

/** Whether Redis itself said no, in place of running the script. */
function isRefusal(error: unknown): error is Error {
  return Error.isError(error) && error.name === 'ReplyError';
}

function subjectIn(key: string): string {
  return key.slice(0, key.indexOf('}') + 1);
}

function isOfOne(keys: readonly string[]): boolean {
  const [first] = keys;
  if (first === undefined || keys.length === 1) return true;
  const subject = subjectIn(first);
  return keys.every((key) => key.startsWith(subject));
}

function groupsOf(keys: readonly string[]): readonly (readonly number[])[] {
  return [...Map.groupBy(keys.keys(), (i) => subjectIn(keys[i] as string)).values()];
}
