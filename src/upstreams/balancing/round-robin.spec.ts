import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { choices, countsOf, targetOf } from './balancing.fixture.ts';
import { RoundRobin } from './round-robin.ts';

describe('RoundRobin', () => {
  it('lets equals take turns', () => {
    const order = choices(new RoundRobin(), [targetOf('a'), targetOf('b'), targetOf('c')], 9).join('');
    expect(order.slice(0, 3)).toBe(order.slice(3, 6));
    expect(countsOf(order)).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('spreads a heavy target out instead of calling it in a row', () => {
    const targets = [targetOf('a', { weight: 5 }), targetOf('b'), targetOf('c')];
    expect(choices(new RoundRobin(), targets, 7).join('')).toBe('aabacaa');
  });

  it('keeps to any weights exactly in every cycle, and is never far from them', () => {
    const random = randomFrom(1);
    let [furthest, atEnds] = [0, 0];
    for (let round = 0; round < 300; round += 1) {
      const size = 2 + Math.floor(random() * 9);
      const weights = Array.from({ length: size }, () => 1 + Math.floor(random() * 9));
      const total = weights.reduce((sum, one) => sum + one, 0);
      const targets = weights.map((weight, index) => targetOf(`t${index}`, { weight }));
      const balancer = new RoundRobin();
      const seen = weights.map(() => 0);
      for (let k = 1; k <= total * 2; k += 1) {
        const index = targets.indexOf(balancer.choose(targets));
        seen[index] = (seen[index] as number) + 1;
        const off = seen.map((count, at) => Math.abs(count - (k * (weights[at] as number)) / total));
        furthest = Math.max(furthest, ...off);
        if (k % total === 0) atEnds = Math.max(atEnds, ...off);
      }
    }
    expect(furthest).toBeLessThanOrEqual(1.25);
    expect(atEnds).toBe(0);
  });

  it('goes on with whoever is left', () => {
    const [a, b, c] = [targetOf('a'), targetOf('b'), targetOf('c')];
    const balancer = new RoundRobin();
    choices(balancer, [a, b, c], 2);
    expect(countsOf(choices(balancer, [a, c], 10))).toEqual({ a: 5, c: 5 });
    expect(choices(balancer, [b], 3)).toEqual(['b', 'b', 'b']);
    expect(countsOf(choices(balancer, [a, b, c], 9))).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('does not begin anew when the set changes: who was heavy is not called once more each time', () => {
    const heavy = targetOf('h', { weight: 3 });
    const light = targetOf('l', { weight: 1 });
    const balancer = new RoundRobin();
    const order = Array.from({ length: 400 }, () => balancer.choose([heavy, light]));
    expect(order.filter((one) => one === light)).toHaveLength(100);
  });
});
