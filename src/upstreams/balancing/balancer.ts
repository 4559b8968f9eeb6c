import type { Exchange } from '../../exchange/exchange.ts';
import type { Target } from '../target.ts';
import type { BalancingOptions } from './balancing.schema.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { Ewma } from './ewma.ts';
import { hashKey } from './hash-key.ts';
import { LeastRequests } from './least-requests.ts';
import { RoundRobin } from './round-robin.ts';

/**
 * Chooses one of several targets. Knows nothing of health: it is only shown what is available. Lists are never changed,
 * nor are the shares of their targets while they are shown; others take their place. It makes nothing for a choice.
 */
export interface Balancer {
  /**
   * @param targets at least one.
   * @param exchange whose call it is; undefined for a call of the gateway's own.
   * @param all those that cannot be chosen now as well, for whoever must not move what is not theirs. Default `targets`.
   */
  choose(targets: readonly Target[], exchange?: Exchange, all?: readonly Target[]): Target;
  /** Which of several ways an exchange takes, from 0 to below 1; undefined, and where it is absent: any. */
  draw?(exchange: Exchange | undefined): number | undefined;
  /** The one that {@link choose} would take now; nobody's turn passes. Undefined, and absent: that is left to chance. */
  peek?(targets: readonly Target[], exchange?: Exchange, all?: readonly Target[]): Target | undefined;
}

/** Makes the balancer that an upstream asks for. */
export function balancerOf(options: BalancingOptions): Balancer {
  if (typeof options === 'object') return new ConsistentHash(hashKey(options.consistentHash));
  return makers[options]();
}

const makers: Readonly<Record<Extract<BalancingOptions, string>, () => Balancer>> = {
  roundRobin: () => new RoundRobin(),
  leastRequests: () => new LeastRequests(),
  ewma: () => new Ewma(),
};
