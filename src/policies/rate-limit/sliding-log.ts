import type { LimitDecision } from '../../exchange/exchange.ts';
import { wholeMs, type Counter } from './counter.ts';
import type { BucketRule } from './rate-limiter.ts';

/**
 * Largest limit whose every token is remembered by its time, exactly; above it two counters stand for them, so that a
 * caller costs no more than this many numbers.
 */
export const LONGEST_LOG = 100;

/** Whether a rule is counted by a log. */
export function isLogged({ algorithm, burst }: BucketRule): boolean {
  return algorithm === 'slidingWindow' && burst <= LONGEST_LOG;
}

/** The times of the tokens that were taken, oldest first: in no window of the period there are more than the limit. */
export class SlidingLog implements Counter {
  rule: BucketRule;
  readonly #times: number[] = [];
  /** Those before it are out of the window. */
  #head = 0;

  constructor(rule: BucketRule) {
    this.rule = rule;
  }

  take(rule: BucketRule, cost: number, now: number): LimitDecision {
    this.#trim(rule, now);
    const allowed = cost <= 0 || this.#size + cost <= rule.burst;
    if (allowed) this.#add(cost, now);
    return this.#describe(rule, cost, now, allowed);
  }

  peek(rule: BucketRule, cost: number, now: number): LimitDecision {
    this.#trim(rule, now);
    return this.#describe(rule, cost, now, cost <= 0 || this.#size + cost <= rule.burst);
  }

  charge(rule: BucketRule, cost: number, now: number): void {
    this.#trim(rule, now);
    this.#add(Math.min(cost, rule.burst - this.#size), now);
  }

  used(now: number): number {
    this.#trim(this.rule, now);
    return this.#size / this.rule.burst;
  }

  fits(rule: BucketRule): boolean {
    return isLogged(rule);
  }

  get #size(): number {
    return this.#times.length - this.#head;
  }

  #add(cost: number, now: number): void {
    for (let token = 0; token < cost; token += 1) this.#times.push(now);
    // What is put back is what was taken last.
    for (let token = Math.max(cost, -this.#size); token < 0; token += 1) this.#times.pop();
  }

  #trim({ perMs }: BucketRule, now: number): void {
    const times = this.#times;
    // A clock that went backwards keeps what was counted, and nobody waits for it.
    for (let at = times.length - 1; at >= this.#head && (times[at] as number) > now; at -= 1) times[at] = now;
    while (this.#head < times.length && (times[this.#head] as number) <= now - perMs) this.#head += 1;
    if (this.#head * 2 < times.length && this.#head < LONGEST_LOG) return;
    times.splice(0, this.#head);
    this.#head = 0;
  }

  #describe(rule: BucketRule, cost: number, now: number, allowed: boolean): LimitDecision {
    const last = this.#times.at(-1);
    return {
      allowed,
      limit: rule.burst,
      remaining: Math.max(0, rule.burst - this.#size),
      resetMs: last === undefined || this.#size === 0 ? 0 : wholeMs(last + rule.perMs - now),
      retryAfterMs: allowed ? 0 : Math.max(1, wholeMs(this.#roomAt(rule, cost) - now)),
    };
  }

  /** When so many of the oldest are out of the window that there is room. */
  #roomAt({ perMs, burst }: BucketRule, cost: number): number {
    const leaving = Math.min(this.#size, this.#size + cost - burst);
    return (this.#times[this.#head + leaving - 1] ?? 0) + perMs;
  }
}
