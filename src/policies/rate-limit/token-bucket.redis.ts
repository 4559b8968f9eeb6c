import type { Redis } from 'ioredis';
import type { LimitDecision } from '../../exchange/exchange.ts';
import { STORE_UNAVAILABLE, type StoreGuard, type StoreUnavailable } from '../../store/store-guard.ts';
import { JoinedGroups } from './joined-groups.ts';
import { JoinedTakes } from './joined-takes.ts';
import { KeptCosts } from './kept-costs.ts';
import { LimiterTally } from './limiter-tally.ts';
import { LimitCalls } from './limit-calls.redis.ts';
import type { BucketRule, RateLimiter, Take, TakeOutcome } from './rate-limiter.ts';
import { TokenCalls } from './token-calls.redis.ts';

/** A refusal that is still certain: asking Redis again would only cost a round trip. */
interface KnownRefusal {
  readonly rule: BucketRule;
  readonly cost: number;
  readonly remaining: number;
  readonly until: number;
  readonly retryAt: number;
  readonly fullAt: number;
}

const MAX_REFUSALS = 10_000;

/**
 * How long a refusal is repeated without asking. Long enough that a flood costs Redis ten calls per second and
 * key, short enough that a bucket which somebody refunds or deletes is seen to be open again.
 */
const REFUSAL_TTL_MS = 100;

/**
 * Limits in Redis, exact over all replicas: one script, Redis' clock, one round trip, for all that is taken in
 * one turn of the event loop. A single token bucket, which is the usual limit, has a script of its own that does less.
 */
export class RedisTokenBucket implements RateLimiter {
  readonly #takes: JoinedTakes;
  readonly #groups: JoinedGroups;
  readonly #guard: StoreGuard;
  readonly #now: () => number;
  readonly #refusals = new Map<string, KnownRefusal>();

  readonly #kept: KeptCosts;

  /** @param now a clock in ms that never jumps; measures how old a refusal is, and a cost that could not be charged. */
  constructor(
    redis: Redis,
    guard: StoreGuard,
    now: () => number = () => performance.now(),
    tally = new LimiterTally(),
  ) {
    this.#takes = new JoinedTakes(new TokenCalls(redis, tally), guard);
    this.#groups = new JoinedGroups(new LimitCalls(redis, tally), guard);
    this.#guard = guard;
    this.#now = now;
    this.#kept = new KeptCosts({
      charge: (take) => this.#charged(take),
      isAvailable: () => guard.available,
      now,
      tally,
    });
  }

  /** For how many limits costs are kept until Redis is back. */
  get kept(): number {
    return this.#kept.size;
  }

  /** Charges what is kept, as far as Redis is there. */
  close(): void {
    this.#kept.close();
  }

  take(bucketKey: string, rule: BucketRule, cost: number): TakeOutcome | Promise<TakeOutcome> {
    const known = this.peek(bucketKey, rule, cost);
    if (known !== undefined) return known;
    if (!this.#guard.available) return STORE_UNAVAILABLE;
    const sentAt = this.#now();
    if (isWindow(rule))
      return this.#askAll([{ bucketKey, rule, cost }]).then(([only]) => only ?? STORE_UNAVAILABLE);
    return this.#takes.take(bucketKey, rule, cost).then((outcome) => {
      if (outcome !== STORE_UNAVAILABLE && !outcome.allowed)
        this.#remember(bucketKey, rule, cost, outcome, sentAt);
      return outcome;
    });
  }

  takeAll(takes: readonly Take[]): readonly (TakeOutcome | undefined)[] | Promise<readonly TakeOutcome[]> {
    const known = takes.map(({ bucketKey, rule, cost }) => this.peek(bucketKey, rule, cost));
    // What is known here is always a refusal, and nothing need be taken then.
    if (known.some((one) => one !== undefined)) return known;
    if (!this.#guard.available) return takes.map(() => STORE_UNAVAILABLE);
    return this.#askAll(takes);
  }

  async #askAll(takes: readonly Take[]): Promise<readonly TakeOutcome[]> {
    const sentAt = this.#now();
    const outcomes = await this.#groups.take({ takes, forced: false });
    outcomes.forEach((outcome, index) => {
      if (outcome === STORE_UNAVAILABLE || outcome.allowed) return;
      const { bucketKey, rule, cost } = takes[index] as Take;
      this.#remember(bucketKey, rule, cost, outcome, sentAt);
    });
    return outcomes;
  }

  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision | undefined {
    // The usual case, without a hash of a key that was just put together.
    if (this.#refusals.size === 0) return undefined;
    const known = this.#refusals.get(bucketKey);
    if (known === undefined || cost < known.cost) return undefined;
    const now = this.#now();
    // A reloaded configuration brings new rule objects: what was refused under the old one is asked again.
    if (now >= known.until || known.rule !== rule) {
      this.#refusals.delete(bucketKey);
      return undefined;
    }
    return {
      allowed: false,
      limit: rule.burst,
      remaining: known.remaining,
      resetMs: Math.max(1, Math.ceil(known.fullAt - now)),
      retryAfterMs: Math.max(1, Math.ceil(known.retryAt - now)),
    };
  }

  refund(bucketKey: string, rule: BucketRule, cost: number): void {
    this.#refusals.delete(bucketKey);
    // Nothing waits for it. One that gets lost leaves the bucket too empty, never too full.
    if (!this.#guard.available) return;
    if (isWindow(rule)) this.charge(bucketKey, rule, -cost);
    else void this.#takes.take(bucketKey, rule, -cost);
  }

  charge(bucketKey: string, rule: BucketRule, cost: number): StoreUnavailable | undefined {
    // Nothing waits for it. What was sent and not answered is not sent again: it may have been taken.
    if (this.#charged({ bucketKey, rule, cost })) return undefined;
    this.#kept.add(bucketKey, rule, cost);
    return STORE_UNAVAILABLE;
  }

  #charged(take: Take): boolean {
    if (!this.#guard.available) return false;
    void this.#groups.take({ takes: [take], forced: true });
    return true;
  }

  /**
   * Counts from the moment of sending, which is before Redis read its clock, and one ms less, because Redis'
   * clock counts whole ms: so the refusal is forgotten before Redis would let the request pass.
   */
  #remember(bucketKey: string, rule: BucketRule, cost: number, refusal: LimitDecision, sentAt: number): void {
    const retryAt = sentAt + refusal.retryAfterMs;
    const until = Math.min(retryAt - 1, sentAt + REFUSAL_TTL_MS);
    if (until <= this.#now()) return;
    const { remaining, resetMs } = refusal;
    this.#refusals.delete(bucketKey);
    this.#refusals.set(bucketKey, { rule, cost, remaining, until, retryAt, fullAt: sentAt + resetMs });
    if (this.#refusals.size <= MAX_REFUSALS) return;
    for (const oldest of this.#refusals.keys()) return void this.#refusals.delete(oldest);
  }
}

function isWindow({ algorithm }: BucketRule): boolean {
  return algorithm !== undefined && algorithm !== 'tokenBucket';
}
