import { Inject, Injectable, Optional } from '@nestjs/common';
import { schemesOf } from '../authentication/requirement.ts';
import type { PolicySet } from '../order.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { ClientLimitStage } from './client-limit.stage.ts';
import { rateLimitPolicy, type RateLimitRule } from './rate-limit.policy.ts';
import {
  LIMITER_OBSERVER,
  LOCAL_RATE_LIMITER,
  RATE_LIMITER,
  type LimiterObserver,
  type LocalRateLimiter,
  type RateLimiter,
} from './rate-limiter.ts';
import { RateLimitStage, type CompiledRule, type Limiters } from './token-bucket.stage.ts';

/** Compiles the rate limit of a route: everything that does not depend on the request is settled here. */
@Injectable()
export class RateLimitStageFactory implements StageFactory {
  readonly policy = rateLimitPolicy;
  readonly #limiters: Limiters;

  constructor(
    @Inject(RATE_LIMITER) main: RateLimiter,
    @Inject(LOCAL_RATE_LIMITER) local: LocalRateLimiter,
    @Optional() @Inject(LIMITER_OBSERVER) observer?: LimiterObserver,
  ) {
    this.#limiters = { main, local, observer };
  }

  compile({ routeId, budgetOf = routeId, policies, repeats = false }: StageInput): Stage | undefined {
    const rules = policies.rateLimit ?? [];
    const compiled = rules.map((rule, index) => compileRule(budgetOf, rule, index, rules));
    const own =
      compiled.length === 0 ? undefined : new RateLimitStage(routeId, compiled, this.#limiters, repeats);
    // Fields of an answer are limited each, but a client once for all of them.
    return repeats || !knowsKeys(policies)
      ? own
      : new ClientLimitStage(routeId, compiled, this.#limiters, own);
  }
}

// Only keys say how often their clients may call.
function knowsKeys({ authentication }: PolicySet): boolean {
  return typeof authentication === 'object' && schemesOf(authentication).includes('apiKey');
}

function compileRule(
  budgetOf: string,
  rule: RateLimitRule,
  index: number,
  rules: readonly RateLimitRule[],
): CompiledRule {
  const namesakes = rules.slice(0, index).filter((earlier) => earlier.key === rule.key).length;
  return {
    name: namesakes === 0 ? rule.key : `${rule.key}-${String(namesakes + 1)}`,
    bucket: { rate: rule.rate, perMs: rule.per, burst: rule.burst, precision: rule.precision },
    key: rule.key,
    // A colon within the id is escaped, so that no id can spell the prefix of another.
    prefix: `${budgetOf.replaceAll('%', '%25').replaceAll(':', '%3A')}:${String(index)}:`,
    cost: rule.cost,
    perMessage: rule.perMessage,
    onStoreError: rule.onStoreError,
  };
}
