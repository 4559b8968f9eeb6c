import type { OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { PubSub } from '../../store/pub-sub.ts';
import { STORE_UNAVAILABLE, type StoreGuard } from '../../store/store-guard.ts';
import { LiveLimits } from './live-limits.ts';
import type { LiveTiers } from './tier-book.ts';
import type { TierLimit } from './tiers.schema.ts';

/** Where operators say it: a hash of tiers by what they are for. */
export const TIERS_KEY = 'gatehouse:tiers';

/** Hashes of limits, as JSON or `off`: by tier, and by who has one of its own. */
export const TIER_LIMITS_KEY = 'gatehouse:tiers:limits';
export const TIER_OVERRIDES_KEY = 'gatehouse:tiers:overrides';

/** Injection token: `RedisLiveTiers | undefined`; undefined without a Redis. */
export const LIVE_TIERS = Symbol('LIVE_TIERS');

/** The channel on which replicas tell each other that something of it has changed. */
const CHANGES = 'tiers';
const REFRESH_MS = 5000;
/** Until they were read once: routes are compiled before there is a connection. */
const FIRST_MS = 50;
/** One answer of this size takes Redis a few ms, every few seconds. */
const MOST_NAMES = 10_000;
const BUDGET_MS = 1000;

/**
 * KEYS     one of the hashes
 * ARGV     field, value (empty to remove it), how many fields there may be
 * Returns  1 when it is so now, 0 when there is no room
 */
const SAY_SCRIPT = `
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) return 1 end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

/** What Redis says now. */
export interface LiveTierBook {
  /** Tiers by what they are for. */
  readonly tiers: ReadonlyMap<string, string>;
  readonly limits: ReadonlyMap<string, TierLimit>;
  readonly overrides: ReadonlyMap<string, TierLimit>;
}

/** What becomes of an order: done; no room for one more; the store is away. */
export type TierOrderEnd = 'done' | 'full' | 'away';

/** What live tiers need. */
export interface LiveTiersDeps {
  readonly redis: Redis;
  readonly guard: StoreGuard;
  /** Tells replicas of changes at once. Default: they see them within seconds. */
  readonly pubSub?: PubSub | undefined;
  /** Hears once of what is not read, and why. */
  readonly report: (message: string) => void;
}

/**
 * Who is of which tier and what tiers are, as hashes in Redis say it. Read as a whole when somebody says that they have changed and
 * every few seconds, from when somebody first asks, so that no request waits for it; what was read last holds while Redis does not
 * answer.
 */
export class RedisLiveTiers implements LiveTiers, OnApplicationShutdown {
  readonly #deps: LiveTiersDeps;
  readonly #guard: StoreGuard;
  readonly #limits: LiveLimits;
  readonly #overrides: LiveLimits;
  #tiers: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | undefined = undefined;
  #deaf: (() => void) | undefined = undefined;
  #isRead = false;
  #isClosed = false;
  readonly #tooLong = new Set<string>();

  constructor(deps: LiveTiersDeps) {
    this.#deps = deps;
    this.#guard = deps.guard.forUse('tiers', { budgetMs: BUDGET_MS });
    this.#limits = new LiveLimits(TIER_LIMITS_KEY, deps.report);
    this.#overrides = new LiveLimits(TIER_OVERRIDES_KEY, deps.report);
  }

  tierOf(name: string): string | undefined {
    return this.#tiers.get(name);
  }

  limitOf(tier: string): TierLimit | undefined {
    return this.#limits.all.get(tier);
  }

  overrideOf(name: string): TierLimit | undefined {
    return this.#overrides.all.get(name);
  }

  get hasLimits(): boolean {
    return this.#limits.all.size > 0 || this.#overrides.all.size > 0;
  }

  /** Begins to read; more than once makes no difference. */
  start(): void {
    if (this.#timer !== undefined) return;
    const read = (): void => void this.refresh();
    this.#deaf = this.#deps.pubSub?.listen(CHANGES, read, read);
    this.#timer = setInterval(() => void this.#first(), FIRST_MS).unref();
    void this.#first();
  }

  /** Reads now. Never rejects. @returns whether Redis has answered. */
  async refresh(): Promise<boolean> {
    const read = await this.#guard.run(() => this.#read());
    if (read === STORE_UNAVAILABLE) return false;
    this.#isRead = true;
    return true;
  }

  /** What Redis says at this moment; undefined while it does not answer. */
  async look(): Promise<LiveTierBook | undefined> {
    if (!(await this.refresh())) return undefined;
    return { tiers: this.#tiers, limits: this.#limits.all, overrides: this.#overrides.all };
  }

  /** Has all replicas go by something else: the field of a hash, or nothing there for no value. Never rejects. */
  async say(key: string, field: string, value: string | undefined): Promise<TierOrderEnd> {
    const { redis, pubSub } = this.#deps;
    const end = await this.#guard.run(async () => {
      const done = await redis.eval(SAY_SCRIPT, 1, key, field, value ?? '', MOST_NAMES);
      await pubSub?.publish(CHANGES, '');
      return done === 1 ? 'done' : 'full';
    });
    if (end === STORE_UNAVAILABLE) return 'away';
    await this.refresh();
    return end;
  }

  async #first(): Promise<void> {
    if (this.#guard.available) await this.refresh();
    if (!this.#isRead || this.#isClosed) return;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.refresh(), REFRESH_MS).unref();
  }

  onApplicationShutdown(): void {
    this.#isClosed = true;
    this.#deaf?.();
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    const [tiers, limits, overrides] = await Promise.all(
      [TIERS_KEY, TIER_LIMITS_KEY, TIER_OVERRIDES_KEY].map((key) => this.#hash(key)),
    );
    if (tiers !== undefined) this.#tiers = tiers;
    if (limits !== undefined) this.#limits.use(limits);
    if (overrides !== undefined) this.#overrides.use(overrides);
  }

  /** Undefined for what is no hash, or too large a one: what was read last goes on to hold. */
  async #hash(key: string): Promise<ReadonlyMap<string, string> | undefined> {
    const { redis, report } = this.#deps;
    const type = await redis.type(key);
    if (type === 'none') return new Map();
    if (type !== 'hash') return undefined;
    const isTooLong = (await redis.hlen(key)) > MOST_NAMES;
    if (isTooLong && !this.#tooLong.has(key))
      report(`${key} has more than ${MOST_NAMES} fields and is not read any more`);
    if (isTooLong) this.#tooLong.add(key);
    else this.#tooLong.delete(key);
    return isTooLong ? undefined : new Map(Object.entries(await redis.hgetall(key)));
  }
}
