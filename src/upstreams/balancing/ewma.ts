import type { Target } from '../target.ts';
import { LeastLoaded } from './least-loaded.ts';
import { PeakEwma } from './peak-ewma.ts';

const UNKNOWN = new PeakEwma();

/**
 * Takes the target that would answer first: what its answers take, times the calls it would have. The calls under way count
 * by its share; an idle target is no better for being heavy, else the lighter ones would never be called.
 */
export class Ewma extends LeastLoaded {
  #now = 0;
  #list: readonly Target[] | undefined = undefined;
  #usualShare = 1;

  protected override look(targets: readonly Target[]): void {
    this.#now = performance.now();
    if (targets === this.#list) return;
    this.#list = targets;
    let sum = 0;
    for (const { share } of targets) sum += share;
    this.#usualShare = sum / targets.length;
  }

  protected override loadOf({ latency = UNKNOWN, inFlight, share }: Target): number {
    return latency.costAt(this.#now) * (1 + (inFlight * this.#usualShare) / share);
  }
}
