import type { Target } from '../target.ts';

/** The shares of a list, added up. */
interface Sums {
  /** What all before a target have together, and at the end what all have. */
  readonly before: Float64Array;
}

/** Draws two different targets of a list, each by its share. */
export class TwoDraws {
  readonly #random: () => number;
  readonly #sums = new WeakMap<readonly Target[], Sums>();
  #list: readonly Target[] | undefined = undefined;
  #before: Float64Array = new Float64Array(1);
  /** Indexes in the list that was drawn of last. */
  first = 0;
  second = 0;

  /** @param random from 0 to below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Draws anew. @param targets at least two. */
  draw(targets: readonly Target[]): void {
    if (targets !== this.#list) this.#turnTo(targets);
    const before = this.#before;
    const total = before[targets.length] as number;
    this.first = this.#at(this.#random() * total);
    // The second is drawn of what the others have: the part of the first is left out.
    const start = before[this.first] as number;
    const width = (before[this.first + 1] as number) - start;
    const point = this.#random() * (total - width);
    this.second = this.#at(point < start ? point : point + width);
    // Sums of fractions are not exact: a point may fall on the border.
    if (this.second === this.first) this.second = (this.first + 1) % targets.length;
  }

  /** The target that a point falls on. */
  #at(point: number): number {
    const before = this.#before;
    let low = 0;
    let high = before.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((before[middle] as number) <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #turnTo(targets: readonly Target[]): void {
    let sums = this.#sums.get(targets);
    if (sums === undefined) {
      const before = new Float64Array(targets.length + 1);
      targets.forEach(({ share }, index) => (before[index + 1] = (before[index] as number) + share));
      this.#sums.set(targets, (sums = { before }));
    }
    this.#list = targets;
    this.#before = sums.before;
  }
}
