import type { LimitDecision } from '../../exchange/exchange.ts';
import type { BucketRule } from './rate-limiter.ts';

/** What one limit has counted for one subject. Moments are whole ms of a clock that the caller reads. */
export interface Counter {
  /** The rule that it was asked under last. */
  rule: BucketRule;
  /** Takes `cost` when it is there; a refusal takes nothing. A negative cost puts back. */
  take(rule: BucketRule, cost: number, now: number): LimitDecision;
  /** Tells what `take` would. */
  peek(rule: BucketRule, cost: number, now: number): LimitDecision;
  /** Takes, whether it is there or not. */
  charge(rule: BucketRule, cost: number, now: number): void;
  /** Which share of it is used: 0 for what says no more than a new one. */
  used(now: number): number;
  /** Whether it can go on under a rule that it was not made for. */
  fits(rule: BucketRule): boolean;
}

/**
 * Slack for the rounding of binary fractions, in tokens: three refills of a third are one token. The scripts
 * for Redis use the same number and the same operations in the same order.
 */
export const TOKEN_EPSILON = 1e-9;

/** Longest time that is told, in ms: 31 000 years, which every integer type holds. */
const LONGEST_MS = 1e15;

/** Whole ms, rounded up, not below 0. */
export function wholeMs(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(0, Math.ceil(ms - 1e-6)));
}
