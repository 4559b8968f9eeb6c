/**
 * Whose turn it is, by weight and without chance: after as many turns as all weights sum up to, each had as many as its
 * weight, and they are spread evenly (smooth weighted round robin).
 */
export class WeightedTurns {
  readonly #weights: readonly number[];
  readonly #total: number;
  readonly #current: number[];

  constructor(weights: readonly number[]) {
    this.#weights = weights;
    this.#total = weights.reduce((sum, one) => sum + one, 0);
    this.#current = weights.map(() => 0);
  }

  /** The index of the next; -1 where no weight is above 0. */
  next(): number {
    if (this.#total === 0) return -1;
    const current = this.#current;
    let best = -1;
    for (let index = 0; index < current.length; index += 1) {
      const weight = this.#weights[index] as number;
      if (weight === 0) continue;
      current[index] = (current[index] as number) + weight;
      if (best < 0 || (current[index] as number) > (current[best] as number)) best = index;
    }
    current[best] = (current[best] as number) - this.#total;
    return best;
  }
}
