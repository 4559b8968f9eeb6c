import type { OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../store/store-guard.ts';
import type { LiveTiers } from './tier-book.ts';

/** Where operators say it: a hash of tiers by what they are for. */
export const TIERS_KEY = 'gatehouse:tiers';

/** Injection token: `RedisLiveTiers | undefined`; undefined without a Redis. */
export const LIVE_TIERS = Symbol('LIVE_TIERS');

const REFRESH_MS = 5000;
/** Until they were read once: routes are compiled before there is a connection. */
const FIRST_MS = 50;
/** One answer of this size takes Redis a few ms, every few seconds. */
const MOST_NAMES = 10_000;
const BUDGET_MS = 1000;

/**
 * Who is of which tier, as a hash in Redis says it. Read as a whole every few seconds, from when somebody first asks, so that no
 * request waits for it; what was read last holds while Redis does not answer.
 */
export class RedisLiveTiers implements LiveTiers, OnApplicationShutdown {
  readonly #redis: Redis;
  readonly #guard: StoreGuard;
  readonly #report: (message: string) => void;
  #tiers: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | undefined = undefined;
  #isRead = false;
  #isClosed = false;
  #isTooLong = false;

  /** @param report hears once when there are more names than are read. */
  constructor(redis: Redis, guard: StoreGuard, report: (message: string) => void) {
    this.#redis = redis;
    this.#guard = guard.forUse('tiers', { budgetMs: BUDGET_MS });
    this.#report = report;
  }

  tierOf(name: string): string | undefined {
    return this.#tiers.get(name);
  }

  /** Begins to read; more than once makes no difference. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.#first(), FIRST_MS).unref();
    void this.#first();
  }

  /** Reads now. Never rejects. */
  async refresh(): Promise<void> {
    const read = await this.#guard.run(() => this.#read());
    if (read === STORE_UNAVAILABLE) return;
    this.#isRead = true;
    if (read !== undefined) this.#tiers = read;
  }

  async #first(): Promise<void> {
    if (this.#guard.available) await this.refresh();
    if (!this.#isRead || this.#isClosed) return;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.refresh(), REFRESH_MS).unref();
  }

  onApplicationShutdown(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  /** Undefined for what is no hash, or too large a one: what was read last goes on to hold. */
  async #read(): Promise<ReadonlyMap<string, string> | undefined> {
    const type = await this.#redis.type(TIERS_KEY);
    if (type === 'none') return new Map();
    if (type !== 'hash') return undefined;
    const isTooLong = (await this.#redis.hlen(TIERS_KEY)) > MOST_NAMES;
    if (isTooLong && !this.#isTooLong)
      this.#report(`${TIERS_KEY} has more than ${MOST_NAMES} fields and is not read any more`);
    this.#isTooLong = isTooLong;
    return isTooLong ? undefined : new Map(Object.entries(await this.#redis.hgetall(TIERS_KEY)));
  }
}
