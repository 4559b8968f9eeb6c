import type { LimitDecision } from '../../exchange/exchange.ts';
import { TOKEN_EPSILON, wholeMs, type Counter } from './counter.ts';
import type { BucketRule } from './rate-limiter.ts';

/** The state of a limit that counts by windows: what the store keeps. */
export interface WindowCount {
  /** When the window began, in ms: windows begin at multiples of the period since the epoch. */
  start: number;
  /** What was taken in it. */
  count: number;
  /** What was taken in the window before it. */
  previous: number;
}

/** Goes on to the window of `now`. A clock that went backwards keeps what was counted, and nobody waits for it. */
export function roll(window: WindowCount, { perMs }: BucketRule, now: number): void {
  const start = Math.floor(now / perMs) * perMs;
  if (start > window.start) {
    window.previous = start - window.start <= perMs ? window.count : 0;
    window.count = 0;
  }
  window.start = start;
}

/**
 * What counts at `now` in a window that was rolled: of a sliding one, the share of the window before that it still covers,
 * as if that had come evenly. Adversaries get up to twice the limit over a border by that, as from a token bucket.
 */
function usedOf({ start, count, previous }: WindowCount, rule: BucketRule, now: number): number {
  if (rule.algorithm === 'fixedWindow') return count;
  return previous * (1 - (now - start) / rule.perMs) + count;
}

/** Takes from a window when it is there; a refusal counts nothing. A negative cost puts back. */
export function takeFromWindow(
  window: WindowCount,
  rule: BucketRule,
  cost: number,
  now: number,
): LimitDecision {
  roll(window, rule, now);
  const allowed = isRoomFor(window, rule, cost, now);
  if (allowed) window.count = Math.max(0, window.count + cost);
  return describe(window, rule, cost, now, allowed);
}

function isRoomFor(window: WindowCount, rule: BucketRule, cost: number, now: number): boolean {
  return cost <= 0 || usedOf(window, rule, now) + cost <= rule.burst + TOKEN_EPSILON;
}

function describe(
  window: WindowCount,
  rule: BucketRule,
  cost: number,
  now: number,
  allowed: boolean,
): LimitDecision {
  return {
    allowed,
    limit: rule.burst,
    remaining: Math.max(0, Math.floor(rule.burst - usedOf(window, rule, now) + TOKEN_EPSILON)),
    resetMs: wholeMs(emptyAt(window, rule) - now),
    retryAfterMs: allowed ? 0 : Math.max(1, wholeMs(roomAt(window, rule, cost) - now)),
  };
}

/** When nothing of it counts any more. */
function emptyAt({ start, count, previous }: WindowCount, { algorithm, perMs }: BucketRule): number {
  if (algorithm !== 'fixedWindow' && count > 0) return start + 2 * perMs;
  return count > 0 || (algorithm !== 'fixedWindow' && previous > 0) ? start + perMs : 0;
}

/** When there will be room for a cost that has none now. */
function roomAt({ start, count, previous }: WindowCount, rule: BucketRule, cost: number): number {
  const { algorithm, perMs, burst } = rule;
  if (algorithm === 'fixedWindow') return start + perMs;
  const room = burst - count - cost;
  if (room >= 0) return start + perMs * (1 - room / previous);
  return start + perMs + Math.max(0, perMs * (1 - (burst - cost) / count));
}

/** A fixed or sliding window of this process. */
export class WindowCounter implements Counter, WindowCount {
  rule: BucketRule;
  start: number;
  count = 0;
  previous = 0;

  constructor(rule: BucketRule, now: number) {
    this.rule = rule;
    this.start = Math.floor(now / rule.perMs) * rule.perMs;
  }

  take(rule: BucketRule, cost: number, now: number): LimitDecision {
    return takeFromWindow(this, rule, cost, now);
  }

  peek(rule: BucketRule, cost: number, now: number): LimitDecision {
    roll(this, rule, now);
    return describe(this, rule, cost, now, isRoomFor(this, rule, cost, now));
  }

  charge(rule: BucketRule, cost: number, now: number): void {
    roll(this, rule, now);
    this.count = Math.min(rule.burst, Math.max(0, this.count + cost));
  }

  used(now: number): number {
    roll(this, this.rule, now);
    return usedOf(this, this.rule, now) / this.rule.burst;
  }

  fits({ algorithm, perMs }: BucketRule): boolean {
    return algorithm === this.rule.algorithm && perMs === this.rule.perMs;
  }
}
