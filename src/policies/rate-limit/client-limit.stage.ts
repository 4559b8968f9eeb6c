import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf, type Principal } from '../../exchange/principal.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import type { BucketRule } from './rate-limiter.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Limiters } from './rule-takes.ts';
import { RateLimitStage } from './token-bucket.stage.ts';

/**
 * Takes the tokens of a request from the bucket of its client, where the client has one, together with those of its route. The
 * bucket of a client is one for all routes, and for all of its keys that have the same limit, so that a key that was rotated
 * brings no second one.
 */
export class ClientLimitStage implements Stage {
  readonly message: Stage['message'];
  readonly head: Stage['head'];
  readonly spend: Stage['spend'];
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
    this.head = own?.head;
    this.spend = own?.spend;
  }

  enter(exchange: Exchange): void | Promise<void> {
    return this.#stageFor(exchange)?.enter(exchange);
  }

  concerns({ principal }: Exchange): boolean {
    return limitedOf(principal) !== undefined;
  }

  explain(exchange: Exchange): StageVerdict {
    return this.#stageFor(exchange)?.explain(exchange) ?? passes();
  }

  #stageFor({ principal }: Exchange): RateLimitStage | undefined {
    const limited = limitedOf(principal);
    const limit = limited?.limit;
    if (limited === undefined || limit === undefined) return this.#own;
    let stage = this.#byLimit.get(limit);
    if (stage === undefined) {
      const rules = [...this.#rules, ruleOf(limit, limited)];
      this.#byLimit.set(limit, (stage = new RateLimitStage(this.#routeId, rules, this.#limiters)));
    }
    return stage;
  }
}

// The key may have come beside another credential, which says who calls.
function limitedOf(principal: Principal | undefined): Principal | undefined {
  if (principal?.limit !== undefined || principal?.also === undefined) return principal;
  return principal.also.find(({ limit }) => limit !== undefined);
}

function ruleOf(bucket: BucketRule, limited: Principal): CompiledRule {
  const { rate, perMs, burst } = bucket;
  return {
    name: 'client',
    bucket,
    subjectOf: () => partitionOf(limited),
    // No route is called so: the id of a route is not empty.
    prefix: `:client:${rate}/${perMs}/${burst}:{`,
    suffix: '}',
    cost: 1,
    // Each process grants the whole limit for as long as it counts alone, as routes do unless they say otherwise.
    onStoreError: 'local',
  };
}
