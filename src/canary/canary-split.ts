import type { ExchangeCondition } from '../conditions/condition.ts';
import type { Exchange, TrafficSide } from '../exchange/exchange.ts';
import { partitionOf } from '../exchange/principal.ts';
import type { UpstreamSource } from '../upstreams/upstream-part.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { bucketOf } from './bucket.ts';
import { cookieOf } from '../exchange/cookie-field.ts';
import type { CanaryCookie } from './canary-cookie.ts';
import type { CanaryOptions } from './canary.schema.ts';
import type { Rollout } from './rollout.ts';

/** What is asked for the subject of a request. */
export type Sticky = CanaryOptions['sticky'];

const SIDES = ['stable', 'canary'] as const;
const BY = ['rule', 'principal', 'cookie', 'header', 'address', 'all', 'none left'] as const;
/** Made once; everything that there can be. */
const [STABLE, CANARY] = SIDES.map(
  (name) => new Map<string, TrafficSide>(BY.map((by) => [by, Object.freeze({ name, by })])),
);

/** What a split goes by. */
export interface SplitDeps {
  readonly sticky: Sticky;
  readonly when: ExchangeCondition | undefined;
  readonly cookie: CanaryCookie | undefined;
  readonly canary: UpstreamSource;
  readonly stable: UpstreamSource;
}

/** Sends each request of a route to one of two sides: rules first, then by where its subject stands. */
export class CanarySplit {
  readonly #rollout: Rollout;
  readonly #deps: SplitDeps;

  constructor(rollout: Rollout, deps: SplitDeps) {
    this.#rollout = rollout;
    this.#deps = deps;
  }

  /** The side of an exchange; the same for its whole life. */
  sideOf(exchange: Exchange): TrafficSide {
    return (exchange.side ??= this.#choose(exchange));
  }

  /** Why an exchange is on its side, for who operates the gateway. */
  reasonFor(exchange: Exchange): string {
    const { by } = this.sideOf(exchange);
    const { plan, state, weight } = this.#rollout;
    if (by === 'rule') return 'its rule (`when`) holds';
    if (by === 'none left') return 'nobody on the other side is available';
    if (by === 'all' && state.status === 'aborted') return 'the rollout was aborted';
    if (by === 'all') return `the weight of the canary is ${percent(weight)}`;
    const subject = this.#subjectOf(exchange);
    const told = subject === undefined && by === 'cookie' ? this.#deps.cookie?.read(exchange) : undefined;
    const bucket = told ?? bucketOf(plan.id, subject?.value ?? `address:${exchange.clientAddress}`);
    const place = bucket < weight ? 'below' : 'not below';
    return `sticky by ${by}: it stands at ${percent(bucket)}, ${place} the weight of ${percent(weight)}`;
  }

  #choose(exchange: Exchange): TrafficSide {
    const { canary, stable } = this.#deps;
    const side = this.#wanted(exchange);
    // A canary of which nobody answers is no reason to refuse what others can answer.
    if (side.name === 'canary' && !isThere(canary.current) && isThere(stable.current))
      return of('stable', 'none left');
    if (side.name === 'stable' && stable.current.targets.length === 0) return of('canary', 'none left');
    return side;
  }

  #wanted(exchange: Exchange): TrafficSide {
    const { weight, state } = this.#rollout;
    // Nobody stays with what was aborted, whatever rules say.
    if (state.status === 'aborted') return of('stable', 'all');
    if (weight >= 1) return of('canary', 'all');
    if (this.#deps.when?.(exchange) === true) return of('canary', 'rule');
    if (weight <= 0) return of('stable', 'all');
    const subject = this.#subjectOf(exchange);
    if (subject !== undefined) return of(this.#sideOf(subject.value), subject.by);
    return this.#unnamed(exchange);
  }

  #unnamed(exchange: Exchange): TrafficSide {
    const { cookie } = this.#deps;
    const told = cookie?.read(exchange);
    if (told !== undefined) return of(told < this.#rollout.weight ? 'canary' : 'stable', 'cookie');
    // Who keeps no cookies comes from the same address the next time, and stands where it stood.
    const bucket = bucketOf(this.#rollout.plan.id, `address:${exchange.clientAddress}`);
    cookie?.give(exchange, bucket);
    return of(bucket < this.#rollout.weight ? 'canary' : 'stable', 'address');
  }

  #sideOf(subject: string): TrafficSide['name'] {
    return bucketOf(this.#rollout.plan.id, subject) < this.#rollout.weight ? 'canary' : 'stable';
  }

  #subjectOf({ principal, request }: Exchange): { value: string; by: TrafficSide['by'] } | undefined {
    const { sticky } = this.#deps;
    if (sticky === 'principal') return principal && { value: partitionOf(principal), by: 'principal' };
    if (typeof sticky === 'string') return undefined;
    if ('header' in sticky) {
      const value = request.headers[sticky.header];
      return typeof value === 'string' && value !== ''
        ? { value: `header:${value}`, by: 'header' }
        : undefined;
    }
    const value = cookieOf(request.headers.cookie, sticky.cookie);
    return value === undefined ? undefined : { value: `cookie:${value}`, by: 'cookie' };
  }
}

function of(name: TrafficSide['name'], by: TrafficSide['by']): TrafficSide {
  return (name === 'stable' ? STABLE : CANARY)?.get(by) as TrafficSide;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function isThere({ targets }: Upstream): boolean {
  for (const target of targets) if (target.available) return true;
  return false;
}
