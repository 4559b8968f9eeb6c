import type { Target } from '../target.ts';
import type { Balancer } from './balancer.ts';

/** What a target may claim of the next choices. */
interface Credit {
  value: number;
}

/** A list and what belongs to it. */
interface Round {
  readonly credits: readonly Credit[];
  /** Whether all have the same share, so that they simply take turns. */
  readonly isEven: boolean;
}

/**
 * Smooth weighted round robin: every choice adds each target's share to its credit and takes the richest, so that a target
 * of weight 5 is not called five times in a row. After as many choices as the weights add up to, each has got exactly its
 * own. Credits belong to targets and not to lists: who stays goes on when others come and go.
 */
export class RoundRobin implements Balancer {
  readonly #credits = new WeakMap<Target, Credit>();
  readonly #rounds = new WeakMap<readonly Target[], Round>();
  #list: readonly Target[] | undefined = undefined;
  #round: Round = { credits: [], isEven: true };
  #next = 0;

  choose(targets: readonly Target[]): Target {
    if (targets !== this.#list) this.#turnTo(targets);
    const { credits, isEven } = this.#round;
    if (isEven) {
      this.#next = (this.#next + 1) % targets.length;
      return targets[this.#next] as Target;
    }
    let total = 0;
    let richest = 0;
    for (let i = 0; i < targets.length; i += 1) {
      const { share } = targets[i] as Target;
      const credit = credits[i] as Credit;
      credit.value += share;
      total += share;
      if (credit.value > (credits[richest] as Credit).value) richest = i;
    }
    (credits[richest] as Credit).value -= total;
    return targets[richest] as Target;
  }

  peek(targets: readonly Target[]): Target | undefined {
    const share = targets[0]?.share;
    if (targets.every((target) => target.share === share)) return targets[(this.#next + 1) % targets.length];
    const after = (target: Target): number => this.#creditOf(target).value + target.share;
    return targets.reduce((richest, target) => (after(target) > after(richest) ? target : richest));
  }

  #turnTo(targets: readonly Target[]): void {
    let round = this.#rounds.get(targets);
    if (round === undefined) {
      const share = targets[0]?.share;
      const isEven = targets.every((target) => target.share === share);
      round = { isEven, credits: isEven ? [] : targets.map((target) => this.#creditOf(target)) };
      this.#rounds.set(targets, round);
    }
    this.#list = targets;
    this.#round = round;
  }

  #creditOf(target: Target): Credit {
    let credit = this.#credits.get(target);
    if (credit === undefined) this.#credits.set(target, (credit = { value: 0 }));
    return credit;
  }
}
