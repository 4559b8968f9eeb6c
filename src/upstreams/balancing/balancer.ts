import type { Target } from '../target.ts';
import { LeastRequests } from './least-requests.ts';
import { RoundRobin } from './round-robin.ts';

/** Chooses one of several available targets. Knows nothing of health: it is only shown what is available. */
export interface Balancer {
  /** @param targets at least one. */
  choose(targets: readonly Target[]): Target;
}

/** The balancers by their name in the configuration. */
export const balancers: Readonly<Record<'roundRobin' | 'leastRequests', () => Balancer>> = {
  roundRobin: () => new RoundRobin(),
  leastRequests: () => new LeastRequests(),
};
