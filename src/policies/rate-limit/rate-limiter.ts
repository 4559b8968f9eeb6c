import type { LimitDecision } from '../../exchange/exchange.ts';
import type { StoreUnavailable } from '../../store/store-guard.ts';

/** How a limit counts. */
export type LimitAlgorithm = 'tokenBucket' | 'slidingWindow' | 'fixedWindow';

/** The shape of a limit. */
export interface BucketRule {
  /** Tokens that flow in per period; of a window, how many it has. */
  readonly rate: number;
  /** The period, in ms; at least 1. */
  readonly perMs: number;
  /** Capacity; a bucket that was never used is full. Of a window the rate. */
  readonly burst: number;
  /** Default `tokenBucket`. */
  readonly algorithm?: LimitAlgorithm | undefined;
  /** `leased` where this process may count on its own with what it has reserved. Default `exact`. */
  readonly precision?: 'exact' | 'leased' | undefined;
}

/** What a request takes from one limit. */
export interface Take {
  readonly bucketKey: string;
  readonly rule: BucketRule;
  readonly cost: number;
}

/** What a limiter answers: a decision, or that its store could not be asked. A refusal is not an error. */
export type TakeOutcome = LimitDecision | StoreUnavailable;

/**
 * Limits by key. Answers synchronously where it can. Never throws and never rejects: what a missing
 * answer means is for the rule's `onStoreError` to say, not for the limiter.
 */
export interface RateLimiter {
  /** Takes `cost` tokens, or takes nothing and says when they will be there. */
  take(bucketKey: string, rule: BucketRule, cost: number): TakeOutcome | Promise<TakeOutcome>;
  /**
   * Takes from all of several limits, or, when one of them refuses, from none: then each tells what is there. An outcome for
   * each, in order, undefined for one that nobody asked because another one is known to refuse; when none of those that could
   * be asked refuses, they have taken.
   */
  takeAll(
    takes: readonly Take[],
  ): readonly (TakeOutcome | undefined)[] | Promise<readonly (TakeOutcome | undefined)[]>;
  /** Tells what `take` would answer, as far as that is known in this process; takes nothing. */
  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision | undefined;
  /** Puts `cost` tokens back after somebody else refused the same request; the bucket never overflows. */
  refund(bucketKey: string, rule: BucketRule, cost: number): void;
  /**
   * Takes `cost` tokens for what was done already, whether they are there or not; nobody waits for it. A token bucket owes at
   * most its burst, a window is at most full.
   *
   * @returns `STORE_UNAVAILABLE` while the store is away: it is charged when that is back.
   */
  charge(bucketKey: string, rule: BucketRule, cost: number): StoreUnavailable | undefined;
}

/** A limiter in this process: it always knows, at once. */
export interface LocalRateLimiter extends RateLimiter {
  take(bucketKey: string, rule: BucketRule, cost: number): LimitDecision;
  takeAll(takes: readonly Take[]): readonly LimitDecision[];
  peek(bucketKey: string, rule: BucketRule, cost: number): LimitDecision;
  charge(bucketKey: string, rule: BucketRule, cost: number): undefined;
}

/** Injection token of the `RateLimiter` of the gateway. */
export const RATE_LIMITER = Symbol('RATE_LIMITER');

/** Injection token of the `LocalRateLimiter` that steps in for a store that does not answer, for this process's part of limits. */
export const LOCAL_RATE_LIMITER = Symbol('LOCAL_RATE_LIMITER');

/** Injection token of the `LocalRateLimiter` for what each process counts for itself, whole. */
export const PROCESS_RATE_LIMITER = Symbol('PROCESS_RATE_LIMITER');

/**
 * What became of a request at its limits. Each exchange is `allowed` or `limited` once; each bucket whose
 * store did not answer adds one `store-error-…` that names what was done instead, and each limit that is not
 * enforced and would have refused one `shadow-limited`.
 */
export type LimiterOutcome =
  | 'allowed'
  | 'limited'
  | 'shadow-limited'
  | 'store-error-local'
  | 'store-error-open'
  | 'store-error-closed';

/** Counts decisions. Runs on every request: keep it cheap. */
export interface LimiterObserver {
  decided(routeId: string, outcome: LimiterOutcome): void;
}

/** Injection token of an optional `LimiterObserver`; provide it in a global module. */
export const LIMITER_OBSERVER = Symbol('LIMITER_OBSERVER');
