import type { Target } from '../target.ts';
import type { Balancer } from './balancer.ts';

/**
 * Smooth weighted round robin: every choice adds each target's weight to its credit and takes the richest,
 * so that a target of weight 5 is not called five times in a row.
 */
export class RoundRobin implements Balancer {
  readonly #credits = new WeakMap<Target, { value: number }>();
  #next = 0;

  choose(targets: readonly Target[]): Target {
    return targets.every((target) => target.weight === targets[0]?.weight)
      ? this.#inTurn(targets)
      : this.#byCredit(targets);
  }

  peek(targets: readonly Target[]): Target {
    if (targets.every((target) => target.weight === targets[0]?.weight))
      return targets[(this.#next + 1) % targets.length] as Target;
    const after = (target: Target): number => (this.#credits.get(target)?.value ?? 0) + target.weight;
    return targets.reduce((richest, target) => (after(target) > after(richest) ? target : richest));
  }

  #inTurn(targets: readonly Target[]): Target {
    this.#next = (this.#next + 1) % targets.length;
    return targets[this.#next] as Target;
  }

  #byCredit(targets: readonly Target[]): Target {
    let total = 0;
    let richest = targets[0] as Target;
    for (const target of targets) {
      const credit = this.#creditOf(target);
      credit.value += target.weight;
      total += target.weight;
      if (credit.value > this.#creditOf(richest).value) richest = target;
    }
    this.#creditOf(richest).value -= total;
    return richest;
  }

  #creditOf(target: Target): { value: number } {
    let credit = this.#credits.get(target);
    if (credit === undefined) this.#credits.set(target, (credit = { value: 0 }));
    return credit;
  }
}
