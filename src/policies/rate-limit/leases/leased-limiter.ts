import type { LimitDecision } from '../../../exchange/exchange.ts';
import type { StoreUnavailable } from '../../../store/store-guard.ts';
import type { BucketRule, RateLimiter, Take, TakeOutcome } from '../rate-limiter.ts';
import type { Leases } from './leases.ts';

type Outcome = TakeOutcome | undefined;

/** Has limits with `precision: leased` counted by leases, and all others by somebody else. */
export class LeasedLimiter implements RateLimiter {
  readonly #exact: RateLimiter;
  readonly #leases: Leases;

  constructor(exact: RateLimiter, leases: Leases) {
    this.#exact = exact;
    this.#leases = leases;
  }

  take(bucketKey: string, rule: BucketRule, cost: number): TakeOutcome | Promise<TakeOutcome> {
    return this.#of(rule).take(bucketKey, rule, cost);
  }

  /** What is leased is taken first, where that needs nobody, and put back when the rest refuses. */
  takeAll(takes: readonly Take[]): readonly Outcome[] | Promise<readonly Outcome[]> {
    const exact = takes.filter(({ rule }) => rule.precision !== 'leased');
    if (exact.length === takes.length) return this.#exact.takeAll(takes);
    const leased = takes.map(({ bucketKey, rule, cost }) =>
      rule.precision === 'leased' ? this.#leases.take(bucketKey, rule, cost) : undefined,
    );
    if (leased.some(refuses))
      return this.#settled(
        takes,
        leased,
        exact.map(() => undefined),
      );
    const others = exact.length === 0 ? [] : this.#exact.takeAll(exact);
    if (!(others instanceof Promise) && !leased.some((outcome) => outcome instanceof Promise))
      return this.#conclude(takes, leased as Outcome[], others);
    return Promise.all([Promise.all(leased), others]).then(([here, there]) =>
      this.#conclude(takes, here, there),
    );
  }

  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision | undefined {
    return this.#of(rule).peek(bucketKey, rule, cost);
  }

  refund(bucketKey: string, rule: BucketRule, cost: number): void {
    this.#of(rule).refund(bucketKey, rule, cost);
  }

  charge(bucketKey: string, rule: BucketRule, cost: number): StoreUnavailable | undefined {
    return this.#of(rule).charge(bucketKey, rule, cost);
  }

  #of(rule: BucketRule): RateLimiter | Leases {
    return rule.precision === 'leased' ? this.#leases : this.#exact;
  }

  // One that is leased refuses at once: those that are under way are put back when they are there.
  #settled(
    takes: readonly Take[],
    leased: readonly (Outcome | Promise<TakeOutcome>)[],
    others: readonly Outcome[],
  ): readonly Outcome[] | Promise<readonly Outcome[]> {
    if (!leased.some((outcome) => outcome instanceof Promise))
      return this.#conclude(takes, leased as Outcome[], others);
    return Promise.all(leased).then((all) => this.#conclude(takes, all, others));
  }

  #conclude(
    takes: readonly Take[],
    leased: readonly Outcome[],
    others: readonly Outcome[],
  ): readonly Outcome[] {
    // Those that are not leased take all or nothing by themselves.
    const restTook = !others.some(refuses);
    let next = 0;
    const outcomes = takes.map(({ rule }, at) => (rule.precision === 'leased' ? leased[at] : others[next++]));
    if (!outcomes.some(refuses)) return outcomes;
    return outcomes.map((outcome, at) => {
      const { bucketKey, rule, cost } = takes[at] as Take;
      const took =
        typeof outcome === 'object' && outcome.allowed && (rule.precision === 'leased' || restTook);
      if (!took) return outcome;
      this.refund(bucketKey, rule, cost);
      return { ...outcome, remaining: Math.min(outcome.limit, outcome.remaining + cost) };
    });
  }
}

function refuses(outcome: Outcome | Promise<TakeOutcome>): boolean {
  return typeof outcome === 'object' && !(outcome instanceof Promise) && !outcome.allowed;
}
