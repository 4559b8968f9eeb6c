import type { LimitDecision } from '../../exchange/exchange.ts';
import { TOKEN_EPSILON, wholeMs, type Counter } from './counter.ts';
import type { BucketRule } from './rate-limiter.ts';

/** The state of a token bucket: what the store keeps. */
export interface Bucket {
  /** Below 0 for what was charged without being there. */
  tokens: number;
  /** When `tokens` was right, in whole ms of the store's clock. */
  lastRefill: number;
}

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
  if (cost > 0 && tokens + TOKEN_EPSILON < cost) return decision(rule, cost, tokens, false);
  bucket.tokens = cost > 0 ? Math.max(0, tokens - cost) : Math.min(rule.burst, tokens - cost);
  bucket.lastRefill = now;
  return decision(rule, cost, bucket.tokens, true);
}

/** Takes tokens that were used already; a bucket owes no more than its burst, so that one report locks nobody out for long. */
export function chargeTo(bucket: Bucket, rule: BucketRule, cost: number, now: number): void {
  const tokens = tokensAt(bucket, rule, now);
  bucket.tokens = Math.min(rule.burst, Math.max(-rule.burst, tokens - cost));
  bucket.lastRefill = now;
}

/** Describes a bucket that holds `tokens` after it let a request of this cost pass, or refused it. */
export function decision(rule: BucketRule, cost: number, tokens: number, allowed: boolean): LimitDecision {
  return {
    allowed,
    limit: rule.burst,
    remaining: Math.max(0, Math.floor(tokens + TOKEN_EPSILON)),
    resetMs: msUntil(rule, rule.burst - tokens),
    retryAfterMs: allowed ? 0 : Math.max(1, msUntil(rule, cost - tokens)),
  };
}

/** Whole ms until `missing` tokens have flowed in. */
function msUntil(rule: BucketRule, missing: number): number {
  return wholeMs((missing * rule.perMs) / rule.rate);
}

/** A token bucket of this process. */
export class TokenBucket implements Counter, Bucket {
  rule: BucketRule;
  tokens: number;
  lastRefill: number;

  constructor(rule: BucketRule, now: number) {
    this.rule = rule;
    this.tokens = rule.burst;
    this.lastRefill = now;
  }

  take(rule: BucketRule, cost: number, now: number): LimitDecision {
    return takeFrom(this, rule, cost, now);
  }

  peek(rule: BucketRule, cost: number, now: number): LimitDecision {
    const tokens = tokensAt(this, rule, now);
    return decision(rule, cost, tokens, cost <= 0 || tokens + TOKEN_EPSILON >= cost);
  }

  charge(rule: BucketRule, cost: number, now: number): void {
    chargeTo(this, rule, cost, now);
  }

  used(now: number): number {
    return 1 - tokensAt(this, this.rule, now) / this.rule.burst;
  }

  fits({ algorithm }: BucketRule): boolean {
    return algorithm === undefined || algorithm === 'tokenBucket';
  }
}
