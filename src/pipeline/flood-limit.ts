import type { FloodRule } from '../policies/rate-limit/rate-limit.policy.ts';
import { addressBlock } from '../exchange/address-block.ts';
import type { BucketRule, LocalRateLimiter } from '../policies/rate-limit/rate-limiter.ts';
import { identitiesOf } from '../policies/rate-limit/rule-identity.ts';

/**
 * The coarse limit per client address that is asked before anything else, so that a flood of bad credentials
 * costs no signature checks. Counted in this process: it protects the process, not a quota.
 */
export class FloodLimit {
  readonly #limiter: LocalRateLimiter;
  readonly #rules: readonly BucketRule[];
  readonly #prefixes: readonly string[];

  constructor(limiter: LocalRateLimiter, rules: readonly FloodRule[]) {
    this.#limiter = limiter;
    this.#rules = rules.map(({ rate, per, burst }) => ({ rate, perMs: per, burst }));
    this.#prefixes = identitiesOf(rules.map((rule) => ({ ...rule, name: undefined }))).map(
      (identity) => `flood:${identity}:`,
    );
  }

  /** Takes a token; returns how long to wait in ms when there is none, else 0. */
  waitMs(clientAddress: string): number {
    return this.#waitMs(clientAddress, 'take');
  }

  /** As {@link waitMs}, and takes nothing. */
  wouldWaitMs(clientAddress: string): number {
    return this.#waitMs(clientAddress, 'peek');
  }

  #waitMs(clientAddress: string, ask: 'take' | 'peek'): number {
    const block = addressBlock(clientAddress);
    for (let i = 0; i < this.#rules.length; i += 1) {
      const decision = this.#limiter[ask](`${this.#prefixes[i]}${block}`, this.#rules[i] as BucketRule, 1);
      if (!decision.allowed) return decision.retryAfterMs;
    }
    return 0;
  }
}
