import type { LimitDecision } from '../../../exchange/exchange.ts';
import type { BucketRule, LocalRateLimiter, Take } from '../rate-limiter.ts';

/** How many gateway processes share the limits. */
export interface Sharers {
  readonly count: number;
}

interface Share {
  readonly among: number;
  readonly rule: BucketRule;
}

/**
 * Counts in this process while nobody can tell what the other replicas let pass: each has its part of every limit, so that
 * all together let no more pass than the limit, and once more its burst. A part has at least the tokens of one request:
 * nobody is locked out, and more replicas than a limit has tokens let one request each pass.
 */
export class LocalShare implements LocalRateLimiter {
  readonly #whole: LocalRateLimiter;
  readonly #replicas: Sharers;
  readonly #shares = new WeakMap<BucketRule, Share>();

  constructor(whole: LocalRateLimiter, replicas: Sharers) {
    this.#whole = whole;
    this.#replicas = replicas;
  }

  take(bucketKey: string, rule: BucketRule, cost: number): LimitDecision {
    return this.#whole.take(bucketKey, this.#shareOf(rule, cost), cost);
  }

  takeAll(takes: readonly Take[]): readonly LimitDecision[] {
    return this.#whole.takeAll(takes.map((take) => ({ ...take, rule: this.#shareOf(take.rule, take.cost) })));
  }

  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision {
    return this.#whole.peek(bucketKey, this.#shareOf(rule, cost), cost);
  }

  refund(bucketKey: string, rule: BucketRule, cost: number): void {
    this.#whole.refund(bucketKey, this.#shareOf(rule, cost), cost);
  }

  charge(bucketKey: string, rule: BucketRule, cost: number): undefined {
    this.#whole.charge(bucketKey, this.#shareOf(rule, 1), cost);
  }

  #shareOf(rule: BucketRule, cost: number): BucketRule {
    const among = this.#replicas.count;
    if (among === 1) return rule;
    let share = this.#shares.get(rule);
    if (share?.among !== among) this.#shares.set(rule, (share = { among, rule: divided(rule, among) }));
    return share.rule.burst >= cost ? share.rule : { ...share.rule, burst: Math.min(rule.burst, cost) };
  }
}

function divided(rule: BucketRule, among: number): BucketRule {
  const burst = Math.max(1, Math.floor(rule.burst / among));
  // A window has whole requests, a bucket fills as slowly as you like.
  const isBucket = (rule.algorithm ?? 'tokenBucket') === 'tokenBucket';
  return { ...rule, burst, rate: isBucket ? rule.rate / among : burst };
}
