import type { Target } from '../target.ts';
import type { Balancer } from './balancer.ts';

/**
 * Takes the target with the fewest calls under way relative to its weight; equals take turns,
 * otherwise the first of the list would get all traffic of a quiet gateway.
 */
export class LeastRequests implements Balancer {
  #start = 0;

  choose(targets: readonly Target[]): Target {
    this.#start = (this.#start + 1) % targets.length;
    let best = targets[this.#start] as Target;
    for (let i = 1; i < targets.length; i += 1) {
      const target = targets[(this.#start + i) % targets.length] as Target;
      if (target.inFlight * best.weight < best.inFlight * target.weight) best = target;
    }
    return best;
  }
}
