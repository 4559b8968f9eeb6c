import { Inject, Injectable, Optional } from '@nestjs/common';
import { schemesOf } from '../authentication/requirement.ts';
import type { PolicySet } from '../order.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { ClientLimitStage } from './client-limit.stage.ts';
import { compileRules } from './compiled-rule.ts';
import { LIVE_TIERS, type RedisLiveTiers } from './live-tiers.redis.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import {
  LIMITER_OBSERVER,
  LOCAL_RATE_LIMITER,
  RATE_LIMITER,
  type LimiterObserver,
  type LocalRateLimiter,
  type RateLimiter,
} from './rate-limiter.ts';
import type { Limiters } from './rule-takes.ts';
import { RateLimitStage } from './token-bucket.stage.ts';

/** Compiles the rate limit of a route: everything that does not depend on the request is settled here. */
@Injectable()
export class RateLimitStageFactory implements StageFactory {
  readonly policy = rateLimitPolicy;
  readonly #limiters: Limiters;
  readonly #liveTiers: RedisLiveTiers | undefined;

  constructor(
    @Inject(RATE_LIMITER) main: RateLimiter,
    @Inject(LOCAL_RATE_LIMITER) local: LocalRateLimiter,
    @Optional() @Inject(LIMITER_OBSERVER) observer?: LimiterObserver,
    @Optional() @Inject(LIVE_TIERS) liveTiers?: RedisLiveTiers,
  ) {
    this.#limiters = { main, local, observer };
    this.#liveTiers = liveTiers;
  }

  compile(input: StageInput): Stage | undefined {
    const { routeId, policies, repeats = false } = input;
    const compiled = compileRules(policies.rateLimit ?? [], input, this.#live);
    const own =
      compiled.length === 0 ? undefined : new RateLimitStage(routeId, compiled, this.#limiters, repeats);
    // Fields of an answer are limited each, but a client once for all of them.
    return repeats || !knowsKeys(policies)
      ? own
      : new ClientLimitStage(routeId, compiled, this.#limiters, own);
  }

  // Nobody reads them where no rule asks for tiers.
  readonly #live = (): RedisLiveTiers | undefined => {
    this.#liveTiers?.start();
    return this.#liveTiers;
  };
}

// Only keys say how often their clients may call.
function knowsKeys({ authentication }: PolicySet): boolean {
  return typeof authentication === 'object' && schemesOf(authentication).includes('apiKey');
}
