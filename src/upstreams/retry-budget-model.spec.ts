import { expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { RetryBudget } from './retry-budget.ts';

const [WINDOW_S, FEW] = [10, 3];

/** A budget in the fewest words: two lists of the seconds in which something was. */
class Model {
  readonly requests: number[] = [];
  readonly retries: number[] = [];
  readonly #percent: number;

  constructor(percent: number) {
    this.#percent = percent;
  }

  earn(second: number): void {
    this.requests.push(second);
  }

  spend(second: number): boolean {
    if (this.#percent === 0) return false;
    const requests = this.requests.filter((at) => at > second - WINDOW_S).length;
    // Of a second more, so that no ten seconds have too many.
    const retries = this.retries.filter((at) => at > second - WINDOW_S - 1).length;
    if ((retries + 1 - FEW) * 100 > requests * this.#percent) return false;
    this.retries.push(second);
    return true;
  }
}

it.each(Array.from({ length: 40 }, (_, seed) => seed))(
  'a retry budget does what its model does, seed %i',
  (seed) => {
    const random = randomFrom(seed);
    const percent = [0, 1, 20, 33, 100][seed % 5] as number;
    const [budget, model] = [new RetryBudget(percent / 100), new Model(percent)];
    let now = random() * 1e7;
    const spent: number[] = [];
    for (let step = 0; step < 1500; step += 1) {
      const what = random();
      // Mostly busy seconds, now and then a pause, which may be longer than what is looked back at.
      if (what < 0.3) now += random() * 300;
      else if (what < 0.32) now += random() * 25_000;
      const second = Math.floor(now / 1000);
      if (what < 0.65) {
        budget.earn(now);
        model.earn(second);
        continue;
      }
      const [is, expected] = [budget.spend(now), model.spend(second)];
      // `expect` is too slow for so many.
      if (is !== expected) expect([step, is]).toEqual([step, expected]);
      if (is) spent.push(now);
    }
    expect(spent.length > 0).toBe(percent > 0);
    expect(spent).toHaveLength(model.retries.length);
  },
);
