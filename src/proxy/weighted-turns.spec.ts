import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { WeightedTurns } from './weighted-turns.ts';

describe('WeightedTurns', () => {
  it('spreads turns', () => {
    const turns = new WeightedTurns([5, 1, 1]);
    expect(Array.from({ length: 7 }, () => turns.next())).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it('gives each as many of all as its weight, whatever the weights are', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 100; round += 1) {
      const weights = Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * 20));
      const total = weights.reduce((sum, one) => sum + one, 0);
      const turns = new WeightedTurns(weights);
      const counts = weights.map(() => 0);
      for (let turn = 0; turn < total; turn += 1) {
        const next = turns.next();
        counts[next] = (counts[next] ?? 0) + 1;
      }
      expect(counts).toEqual(weights);
    }
  });

  it('is nobody’s turn where nobody has a weight', () => {
    expect(new WeightedTurns([0, 0]).next()).toBe(-1);
  });
});
