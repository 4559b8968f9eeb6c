import type { Exchange } from '../../exchange/exchange.ts';
import type { Target } from '../target.ts';
import { LeastRequests } from './least-requests.ts';
import { RoundRobin } from './round-robin.ts';

/** Chooses one of several available targets. Knows nothing of health: it is only shown what is available. */
export interface Balancer {
  /**
   * @param targets at least one.
   * @param exchange whose call it is; undefined for a call of the gateway's own.
   */
  choose(targets: readonly Target[], exchange?: Exchange): Target;
  /** The one that {@link choose} would take now; nobody's turn passes. Absent: that is left to chance. */
  peek?(targets: readonly Target[], exchange?: Exchange): Target;
}

/** The balancers by their name in the configuration. */
export const balancers: Readonly<Record<'roundRobin' | 'leastRequests', () => Balancer>> = {
  roundRobin: () => new RoundRobin(),
  leastRequests: () => new LeastRequests(),
};
