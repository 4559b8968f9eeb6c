import type { Target } from '../target.ts';
import type { Balancer } from './balancer.ts';
import { RoundRobin } from './round-robin.ts';
import { TwoDraws } from './two-draws.ts';

/** Up to here a look at all of them costs no more than two draws, and finds better ones. */
const FEW = 32;

/**
 * Takes the target with the least load. Of a few targets all are looked at, beginning with the one whose turn it is; of
 * more than {@link FEW} the lesser of two that are drawn by their shares (power of two choices). What comes first wins a
 * tie, so that idle targets are called by their shares, and not only the heaviest or the first.
 */
export abstract class LeastLoaded implements Balancer {
  readonly #turns = new RoundRobin();
  readonly #draws: TwoDraws;

  /** @param random from 0 to below 1; asked once, where to begin. */
  constructor(random?: () => number) {
    this.#draws = new TwoDraws(random);
  }

  choose(targets: readonly Target[]): Target {
    this.look(targets);
    if (targets.length <= FEW) return this.#least(targets);
    const draws = this.#draws;
    draws.draw(targets);
    const first = targets[draws.first] as Target;
    const second = targets[draws.second] as Target;
    return this.loadOf(second) < this.loadOf(first) ? second : first;
  }

  #least(targets: readonly Target[]): Target {
    let least = this.#turns.choose(targets);
    if (targets.length === 1) return least;
    let load = this.loadOf(least);
    for (const target of targets) {
      const other = this.loadOf(target);
      if (other >= load) continue;
      least = target;
      load = other;
    }
    return least;
  }

  /** Comes before the loads of some targets are asked for. */
  protected look(_targets: readonly Target[]): void {}

  /** How much a target has to do, relative to its share. */
  protected abstract loadOf(target: Target): number;
}
