import type { LimitDecision } from '../../exchange/exchange.ts';
import type { Counter } from './counter.ts';
import type { BucketRule, LocalRateLimiter, Take } from './rate-limiter.ts';
import { isLogged, SlidingLog } from './sliding-log.ts';
import { TokenBucket } from './token-bucket.ts';
import { WindowCounter } from './window-counter.ts';

/** How the in-process limiter is built. */
export interface MemoryTokenBucketOptions {
  /** A clock in ms that never jumps. Default: the time since the epoch, as it was when the process began and counted on since. */
  readonly now?: () => number;
  /** Buckets that are kept at most. Default 100 000, about 20 MB. */
  readonly maxBuckets?: number;
}

const BEGAN_AT = performance.timeOrigin;
const TIDY_STEPS = 2;
const EVICTION_SAMPLE = 32;

/** Limits in this process. Every answer is synchronous, so what it decides is atomic. */
export class MemoryTokenBucket implements LocalRateLimiter {
  readonly #buckets = new Map<string, Counter>();
  readonly #now: () => number;
  readonly #maxBuckets: number;
  #hand: MapIterator<[string, Counter]>;

  constructor(options: MemoryTokenBucketOptions = {}) {
    this.#now = options.now ?? (() => BEGAN_AT + performance.now());
    this.#maxBuckets = options.maxBuckets ?? 100_000;
    this.#hand = this.#buckets.entries();
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  take(bucketKey: string, rule: BucketRule, cost: number): LimitDecision {
    const now = Math.floor(this.#now());
    return this.#counter(bucketKey, rule, now).take(rule, cost, now);
  }

  takeAll(takes: readonly Take[]): readonly LimitDecision[] {
    const taken: LimitDecision[] = [];
    for (const { bucketKey, rule, cost } of takes) {
      const decision = this.take(bucketKey, rule, cost);
      if (!decision.allowed) return this.#putBack(takes, taken, decision);
      taken.push(decision);
    }
    return taken;
  }

  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision {
    const now = Math.floor(this.#now());
    const kept = this.#buckets.get(bucketKey);
    return (kept?.fits(rule) === true ? kept : newCounter(rule, now)).peek(rule, cost, now);
  }

  refund(bucketKey: string, rule: BucketRule, cost: number): void {
    const kept = this.#buckets.get(bucketKey);
    if (kept?.fits(rule) === true) kept.take(rule, -cost, Math.floor(this.#now()));
  }

  charge(bucketKey: string, rule: BucketRule, cost: number): undefined {
    const now = Math.floor(this.#now());
    this.#counter(bucketKey, rule, now).charge(rule, cost, now);
  }

  #putBack(
    takes: readonly Take[],
    { length }: readonly LimitDecision[],
    refusal: LimitDecision,
  ): LimitDecision[] {
    for (const { bucketKey, rule, cost } of takes.slice(0, length)) this.refund(bucketKey, rule, cost);
    return takes.map(({ bucketKey, rule, cost }, index) =>
      index === length ? refusal : this.peek(bucketKey, rule, cost),
    );
  }

  #counter(bucketKey: string, rule: BucketRule, now: number): Counter {
    const kept = this.#buckets.get(bucketKey);
    if (kept !== undefined) {
      if (kept.rule === rule) return kept;
      if (kept.fits(rule)) {
        kept.rule = rule;
        return kept;
      }
    } else {
      this.#makeRoom(now);
    }
    const made = newCounter(rule, now);
    this.#buckets.set(bucketKey, made);
    return made;
  }

  /**
   * A full bucket is the same as none, so a clock hand drops full ones as new keys arrive. When the room is
   * full nevertheless, the fullest of the next buckets goes: it is the one that forgets least.
   */
  #makeRoom(now: number): void {
    const crowded = this.#buckets.size >= this.#maxBuckets;
    let victim: string | undefined;
    let lowestDebt = Infinity;
    for (let step = crowded ? EVICTION_SAMPLE : TIDY_STEPS; step > 0; step -= 1) {
      const [key, bucket] = this.#nextBucket() ?? [];
      if (key === undefined || bucket === undefined) return;
      const debt = bucket.used(now);
      if (debt <= 0) {
        this.#buckets.delete(key);
        if (crowded) return;
      } else if (debt < lowestDebt) {
        lowestDebt = debt;
        victim = key;
      }
    }
    if (crowded && victim !== undefined) this.#buckets.delete(victim);
  }

  #nextBucket(): [string, Counter] | undefined {
    let next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#buckets.entries();
      next = this.#hand.next();
    }
    return next.done === true ? undefined : next.value;
  }
}

function newCounter(rule: BucketRule, now: number): Counter {
  if (rule.algorithm === undefined || rule.algorithm === 'tokenBucket') return new TokenBucket(rule, now);
  return isLogged(rule) ? new SlidingLog(rule) : new WindowCounter(rule, now);
}
