import type { Exchange } from '../../exchange/exchange.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { TakeOutcome } from './rate-limiter.ts';
import { takesOf, type Limiters } from './rule-takes.ts';

/** Counts under rules that refuse nothing, and takes note of what they would refuse. No request waits for them. */
export class ShadowLimits {
  readonly #routeId: string;
  readonly #rules: readonly CompiledRule[];
  readonly #limiters: Limiters;

  constructor(routeId: string, rules: readonly CompiledRule[], limiters: Limiters) {
    this.#routeId = routeId;
    this.#rules = rules;
    this.#limiters = limiters;
  }

  /** Takes for a request that nobody has refused. */
  take(exchange: Exchange): void {
    for (const { by, bucketKey, rule, cost } of takesOf(this.#rules, exchange)) {
      const outcome = this.#limiters.main.take(bucketKey, rule, cost);
      if (outcome instanceof Promise) void outcome.then((late) => this.#note(exchange, by, late));
      else this.#note(exchange, by, outcome);
    }
  }

  // What the store cannot say is nothing that the rule would refuse.
  #note(exchange: Exchange, { name }: CompiledRule, outcome: TakeOutcome): void {
    if (typeof outcome !== 'object' || outcome.allowed) return;
    this.#limiters.observer?.decided(this.#routeId, 'shadow-limited');
    exchange.shadowDenied ??= `rateLimit ${name}`;
  }
}
