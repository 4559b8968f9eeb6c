import type { Exchange } from '../../exchange/exchange.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import type { BucketRule } from './rate-limiter.ts';
import { RateLimitStage, type CompiledRule, type Limiters } from './token-bucket.stage.ts';

/**
 * Takes the tokens of a request from the bucket of its client, where the client has one, together with those of its route. The
 * bucket of a client is one for all routes, and for all of its keys that have the same limit, so that a key that was rotated
 * brings no second one.
 */
export class ClientLimitStage implements Stage {
  readonly message: Stage['message'];
  readonly #routeId: string;
  readonly #rules: readonly CompiledRule[];
  readonly #limiters: Limiters;
  /** For callers without a limit of their own; undefined for a route without limits. */
  readonly #own: RateLimitStage | undefined;
  /** The stage of each limit: as many as there are clients with one that this process knows. */
  readonly #byLimit = new WeakMap<BucketRule, RateLimitStage>();

  constructor(
    routeId: string,
    rules: readonly CompiledRule[],
    limiters: Limiters,
    own: RateLimitStage | undefined,
  ) {
    this.#routeId = routeId;
    this.#rules = rules;
    this.#limiters = limiters;
    this.#own = own;
    this.message = own?.message;
  }

  enter(exchange: Exchange): void | Promise<void> {
    const limit = exchange.principal?.limit;
    return (limit === undefined ? this.#own : this.#stageOf(limit))?.enter(exchange);
  }

  concerns({ principal }: Exchange): boolean {
    return principal?.limit !== undefined;
  }

  explain(exchange: Exchange): StageVerdict {
    const limit = exchange.principal?.limit;
    const stage = limit === undefined ? this.#own : this.#stageOf(limit);
    return stage?.explain(exchange) ?? passes();
  }

  #stageOf(limit: BucketRule): RateLimitStage {
    let stage = this.#byLimit.get(limit);
    if (stage === undefined) {
      stage = new RateLimitStage(this.#routeId, [...this.#rules, ruleOf(limit)], this.#limiters);
      this.#byLimit.set(limit, stage);
    }
    return stage;
  }
}

function ruleOf(bucket: BucketRule): CompiledRule {
  const { rate, perMs, burst } = bucket;
  return {
    name: 'client',
    bucket,
    key: 'principal',
    // No route is called so: the id of a route is not empty.
    prefix: `:client:${rate}/${perMs}/${burst}:`,
    cost: 1,
    // Each process grants the whole limit for as long as it counts alone, as routes do unless they say otherwise.
    onStoreError: 'local',
  };
}
