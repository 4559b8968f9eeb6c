import type { LimitDecision } from '../../exchange/exchange.ts';
import type { BucketRule } from './rate-limiter.ts';

/** The state of a token bucket: what the store keeps. */
export interface Bucket {
  tokens: number;
  /** When `tokens` was right, in whole ms of the store's clock. */
  lastRefill: number;
}

/**
 * Slack for the rounding of binary fractions, in tokens: three refills of a third are one token. The script
 * for Redis uses the same number and the same operations in the same order.
 */
export const TOKEN_EPSILON = 1e-9;

/** Tells what is in a bucket at `now`, without touching it. */
export function tokensAt(bucket: Bucket, rule: BucketRule, now: number): number {
  const elapsedMs = Math.max(0, now - bucket.lastRefill);
  return Math.min(rule.burst, bucket.tokens + (elapsedMs * rule.rate) / rule.perMs);
}

/**
 * Takes `cost` tokens from a bucket when they are there; a refusal takes nothing. A negative cost puts tokens
 * back. A clock that went backwards mints nothing, and nobody waits for it to catch up.
 */
export function takeFrom(bucket: Bucket, rule: BucketRule, cost: number, now: number): LimitDecision {
  const tokens = tokensAt(bucket, rule, now);
  if (now < bucket.lastRefill) bucket.lastRefill = now;
  if (tokens + TOKEN_EPSILON < cost) return decision(rule, cost, tokens, false);
  bucket.tokens = Math.min(rule.burst, Math.max(0, tokens - cost));
  bucket.lastRefill = now;
  return decision(rule, cost, bucket.tokens, true);
}

/** Describes a bucket that holds `tokens` after it let a request of this cost pass, or refused it. */
export function decision(rule: BucketRule, cost: number, tokens: number, allowed: boolean): LimitDecision {
  return {
    allowed,
    limit: rule.burst,
    remaining: Math.floor(tokens + TOKEN_EPSILON),
    resetMs: msUntil(rule, rule.burst - tokens),
    retryAfterMs: allowed ? 0 : Math.max(1, msUntil(rule, cost - tokens)),
  };
}

/** Whole ms until `missing` tokens have flowed in, rounded up; at most 31 000 years, which every integer type holds. */
function msUntil(rule: BucketRule, missing: number): number {
  return Math.min(1e15, Math.max(0, Math.ceil((missing * rule.perMs) / rule.rate - 1e-6)));
}
