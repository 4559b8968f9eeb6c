import type { LimitDecision } from '../../exchange/exchange.ts';
import type { BucketRule, LocalRateLimiter } from './rate-limiter.ts';
import { decision, takeFrom, TOKEN_EPSILON, tokensAt, type Bucket } from './token-bucket.ts';

/** How the in-process limiter is built. */
export interface MemoryTokenBucketOptions {
  /** A clock in ms that never jumps. Default `performance.now`. */
  readonly now?: () => number;
  /** Buckets that are kept at most. Default 100 000, about 20 MB. */
  readonly maxBuckets?: number;
}

interface KeptBucket extends Bucket {
  rule: BucketRule;
}

const TIDY_STEPS = 2;
const EVICTION_SAMPLE = 32;

/** Token buckets in this process. Every answer is synchronous, so what it decides is atomic. */
export class MemoryTokenBucket implements LocalRateLimiter {
  readonly #buckets = new Map<string, KeptBucket>();
  readonly #now: () => number;
  readonly #maxBuckets: number;
  #hand: MapIterator<[string, KeptBucket]>;

  constructor(options: MemoryTokenBucketOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#maxBuckets = options.maxBuckets ?? 100_000;
    this.#hand = this.#buckets.entries();
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  take(bucketKey: string, rule: BucketRule, cost: number): LimitDecision {
    const now = Math.floor(this.#now());
    let bucket = this.#buckets.get(bucketKey);
    if (bucket === undefined) {
      bucket = { tokens: rule.burst, lastRefill: now, rule };
      this.#makeRoom(now);
      this.#buckets.set(bucketKey, bucket);
    } else {
      bucket.rule = rule;
    }
    return takeFrom(bucket, rule, cost, now);
  }

  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision {
    const bucket = this.#buckets.get(bucketKey);
    const tokens = bucket === undefined ? rule.burst : tokensAt(bucket, rule, Math.floor(this.#now()));
    return decision(rule, cost, tokens, tokens + TOKEN_EPSILON >= cost);
  }

  refund(bucketKey: string, rule: BucketRule, cost: number): void {
    const bucket = this.#buckets.get(bucketKey);
    if (bucket !== undefined) takeFrom(bucket, rule, -cost, Math.floor(this.#now()));
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
      const debt = 1 - tokensAt(bucket, bucket.rule, now) / bucket.rule.burst;
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

  #nextBucket(): [string, KeptBucket] | undefined {
    let next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#buckets.entries();
      next = this.#hand.next();
    }
    return next.done === true ? undefined : next.value;
  }
}
