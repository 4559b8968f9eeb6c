import type { Target } from '../target.ts';
import { LeastLoaded } from './least-loaded.ts';
import { PeakEwma } from './peak-ewma.ts';

const UNKNOWN = new PeakEwma();
const now = new Float64Array(1);

// By itself and without a result: a call that returns a fraction makes an object for it.
function look(): void {
  now[0] = performance.now();
}

/**
 * Takes the target that would answer first: what its answers take, times the calls it would have. The calls under way count
 * by its share; an idle target is no better for being heavy, else the lighter ones would never be called.
 */
export class Ewma extends LeastLoaded {
  #list: readonly Target[] | undefined = undefined;
  #usualShare = 1;

  protected override look(targets: readonly Target[]): void {
    look();
    if (targets === this.#list) return;
    this.#list = targets;
    let sum = 0;
    for (const { share } of targets) sum += share;
    this.#usualShare = sum / targets.length;
  }

  protected override loadOf({ latency = UNKNOWN, inFlight, share }: Target): number {
    return latency.costAt(now[0] as number) * (1 + (inFlight * this.#usualShare) / share);
  }
}
