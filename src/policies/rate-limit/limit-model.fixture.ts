import type { BucketRule } from './rate-limiter.ts';

/**
 * What limits mean, told from everything that ever happened rather than from a few numbers: slow, and short enough to be seen to
 * be right. A clock that goes back is one that stands still.
 */
export class LimitModel {
  readonly #rule: BucketRule;
  readonly #taken: { readonly at: number; readonly cost: number }[] = [];

  constructor(rule: BucketRule) {
    this.#rule = rule;
  }

  take(cost: number, now: number): boolean {
    const allowed = this.left(now) + 1e-6 >= cost;
    if (allowed) this.#taken.push({ at: now, cost });
    return allowed;
  }

  left(now: number): number {
    const { algorithm, burst, perMs, rate } = this.#rule;
    const start = Math.floor(now / perMs) * perMs;
    if (algorithm === 'fixedWindow') return burst - this.#sum(start, now);
    if (algorithm === 'slidingWindow' && burst <= 100) return burst - this.#sum(now - perMs + 1, now);
    if (algorithm === 'slidingWindow')
      return (
        burst - this.#sum(start, now) - this.#sum(start - perMs, start - 1) * (1 - (now - start) / perMs)
      );
    let [level, since] = [burst, -Infinity];
    for (const { at, cost } of this.#taken) {
      level = Math.min(burst, since === -Infinity ? burst : level + ((at - since) * rate) / perMs) - cost;
      since = at;
    }
    return since === -Infinity ? burst : Math.min(burst, level + ((now - since) * rate) / perMs);
  }

  #sum(from: number, to: number): number {
    return this.#taken.reduce((sum, { at, cost }) => sum + (at >= from && at <= to ? cost : 0), 0);
  }
}
