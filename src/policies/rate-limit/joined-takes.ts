import type { LimitDecision } from '../../exchange/exchange.ts';
import { STORE_UNAVAILABLE, type StoreGuard, type StoreUnavailable } from '../../store/store-guard.ts';
import { noteStoreWait } from '../../telemetry/store-wait.ts';
import type { BucketRule, TakeOutcome } from './rate-limiter.ts';
import { NUMBERS_PER_KEY, type TokenCalls } from './token-calls.redis.ts';

const KEY_PREFIX = 'ratelimit:';
/** So many buckets keep Redis, which does one thing at a time, for well below a ms. */
const MAX_KEYS = 64;
/** Who has more rules than this in one turn gains nothing by looking for more. */
const MOST_LOOKED_AT = 16;

/** Takes that travel together. */
interface Takes {
  readonly rule: BucketRule;
  readonly cost: number;
  readonly bucketKeys: string[];
  readonly waiting: ((outcome: TakeOutcome) => void)[];
  readonly sent: PromiseWithResolvers<readonly number[]>;
}

/** Sends what is taken under one rule in one turn of the event loop in one call, when that turn ends. */
export class JoinedTakes {
  readonly #calls: TokenCalls;
  readonly #guard: StoreGuard;
  /** In an array: a map whose entries come and go would keep in memory what is over (docs/adr/0025). */
  #leaving: Takes[] = [];

  constructor(calls: TokenCalls, guard: StoreGuard) {
    this.#calls = calls;
    this.#guard = guard;
  }

  /** Takes tokens, or puts them back where the cost is negative. Never rejects; waits no longer than the guard allows. */
  take(bucketKey: string, rule: BucketRule, cost: number): Promise<TakeOutcome> {
    const open = this.#open(rule, cost);
    const takes = open ?? this.#begin(rule, cost);
    const outcome = new Promise<TakeOutcome>((resolve) => {
      takes.bucketKeys.push(bucketKey);
      takes.waiting.push(resolve);
    });
    // The guard has noted whose take was the first.
    if (open !== undefined) noteStoreWait(this.#guard.use, outcome, STORE_UNAVAILABLE);
    return outcome;
  }

  /** What can still be joined, among the last few. */
  #open(rule: BucketRule, cost: number): Takes | undefined {
    const leaving = this.#leaving;
    for (let i = leaving.length - 1; i >= 0 && i >= leaving.length - MOST_LOOKED_AT; i -= 1) {
      const takes = leaving[i] as Takes;
      if (takes.rule === rule && takes.cost === cost && takes.bucketKeys.length < MAX_KEYS) return takes;
    }
    return undefined;
  }

  #begin(rule: BucketRule, cost: number): Takes {
    const sent = Promise.withResolvers<readonly number[]>();
    const takes: Takes = { rule, cost, bucketKeys: [], waiting: [], sent };
    if (this.#leaving.length === 0) setImmediate(this.#send);
    this.#leaving.push(takes);
    // The time that a call may take begins with the first of those who wait for it.
    const replies = Promise.resolve(this.#guard.run(() => sent.promise));
    void replies.then((all) => this.#tell(takes, all));
    return takes;
  }

  readonly #send = (): void => {
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const { rule, cost, bucketKeys, sent } of leaving) {
      const keys = bucketKeys.map((bucketKey) => KEY_PREFIX + bucketKey);
      this.#calls.take(keys, rule, cost).then(sent.resolve, sent.reject);
    }
  };

  #tell({ rule, cost, bucketKeys, waiting }: Takes, replies: readonly number[] | StoreUnavailable): void {
    waiting.forEach((tell, index) => {
      if (replies === STORE_UNAVAILABLE) return tell(STORE_UNAVAILABLE);
      const decision = decisionAt(replies, index * NUMBERS_PER_KEY, rule);
      if (decision !== undefined) return tell(decision);
      void this.#alone(bucketKeys[index] as string, rule, cost).then(tell);
    });
  }

  // What is wrong with one of many is for the guard to hear, and for none of the others.
  async #alone(bucketKey: string, rule: BucketRule, cost: number): Promise<TakeOutcome> {
    const replies = await this.#guard.run(() => this.#calls.take([KEY_PREFIX + bucketKey], rule, cost));
    return replies === STORE_UNAVAILABLE ? replies : (decisionAt(replies, 0, rule) ?? STORE_UNAVAILABLE);
  }
}

/** The decision that stands at a place of the replies; undefined for a bucket that Redis could not read or write. */
export function decisionAt(
  replies: readonly number[],
  at: number,
  rule: BucketRule,
): LimitDecision | undefined {
  const allowed = replies[at];
  if (allowed !== 0 && allowed !== 1) return undefined;
  return {
    allowed: allowed === 1,
    limit: rule.burst,
    remaining: replies[at + 1] as number,
    resetMs: replies[at + 2] as number,
    retryAfterMs: replies[at + 3] as number,
  };
}
