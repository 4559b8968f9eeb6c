import type { Target } from '../target.ts';

/** The shares of a list, added up. */
interface Sums {
  /** What all before a target have together, and at the end what all have. */
  readonly before: Float64Array;
}

/** Draws two different targets of a list, each by its share. */
export class TwoDraws {
  readonly #sums = new WeakMap<readonly Target[], Sums>();
  #list: readonly Target[] | undefined = undefined;
  /** Of xorshift (Marsaglia 2003). Whole numbers, because a call that returns a fraction makes an object for it. */
  readonly #state = new Int32Array(1);
  #before: Float64Array = new Float64Array(1);
  /** Indexes in the list that was drawn of last. */
  first = 0;
  second = 0;

  /** @param random from 0 to below 1; asked once, where to begin. */
  constructor(random: () => number = Math.random) {
    this.#state[0] = (random() * 2 ** 32) | 1;
  }

  /** Draws anew. @param targets at least two. */
  draw(targets: readonly Target[]): void {
    if (targets !== this.#list) this.#turnTo(targets);
    const before = this.#before;
    const total = before[targets.length] as number;
    this.first = this.#at((this.#next() / 2 ** 32) * total);
    // The second is drawn of what the others have: the part of the first is left out.
    const start = before[this.first] as number;
    const width = (before[this.first + 1] as number) - start;
    const point = (this.#next() / 2 ** 32) * (total - width);
    this.second = this.#at(point < start ? point : point + width);
    // Sums of fractions are not exact: a point may fall on the border.
    if (this.second === this.first) this.second = (this.first + 1) % targets.length;
  }

  /** From 1 to below 2^32. */
  #next(): number {
    let state = this.#state[0] as number;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state[0] = state;
    return state >>> 0;
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
