import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import type { Target } from '../target.ts';
import { busy, choices, countsOf, marginOf, nameOf, targetOf } from './balancing.fixture.ts';
import { LeastRequests } from './least-requests.ts';
import { TwoDraws } from './two-draws.ts';

const many = (length: number, weightOf = (_index: number) => 1): Target[] =>
  Array.from({ length }, (_, index) => targetOf(`t${index}`, { weight: weightOf(index) }));

describe('LeastRequests', () => {
  it('lets equals take turns', () => {
    const names = choices(new LeastRequests(), [targetOf('a'), targetOf('b'), targetOf('c')], 9);
    expect(countsOf(names)).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('takes the target with the fewest calls under way', () => {
    const [a, b, c] = [targetOf('a'), targetOf('b'), targetOf('c')];
    const leases = [...busy(a, 2), ...busy(b, 1), ...busy(c, 2)];
    expect(choices(new LeastRequests(), [a, b, c], 4).join('')).toBe('bbbb');
    for (const lease of leases) lease.release('success');
    expect(countsOf(choices(new LeastRequests(), [a, b, c], 6))).toEqual({ a: 2, b: 2, c: 2 });
  });

  it('measures calls against the weight', () => {
    const [heavy, light] = [targetOf('h', { weight: 4 }), targetOf('l')];
    busy(heavy, 3);
    busy(light, 1);
    expect(choices(new LeastRequests(), [light, heavy], 3).join('')).toBe('hhh');
    busy(heavy, 2);
    expect(choices(new LeastRequests(), [light, heavy], 3).join('')).toBe('lll');
  });

  it('calls idle targets by their weights, and not only the heaviest', () => {
    const targets = [targetOf('h', { weight: 3 }), targetOf('l')];
    expect(countsOf(choices(new LeastRequests(), targets, 400))).toEqual({ h: 300, l: 100 });
  });

  it('draws of many targets each as often as another', () => {
    const counts = countsOf(choices(new LeastRequests(randomFrom(2)), many(100), 50_000));
    const chiSquare = Object.values(counts).reduce((sum, one) => sum + (one - 500) ** 2 / 500, 0);
    expect(chiSquare).toBeLessThan(148);
  });

  it('draws of many targets by their weights', () => {
    const targets = many(40, (index) => (index < 10 ? 3 : 1));
    const names = choices(new LeastRequests(randomFrom(3)), targets, 50_000);
    const heavy = names.filter((name) => Number(name.slice(1)) < 10).length / names.length;
    expect(Math.abs(heavy - 0.5)).toBeLessThan(marginOf(0.5, names.length));
  });

  it.each([
    [100, 2.64],
    [10, 2.03],
  ])('keeps %i targets at a load of 0.9 as short of queues as theory says', (size, theory) => {
    const mean = meanTimeInSystem(size, 40_000);
    expect(mean).toBeGreaterThan(theory * 0.9);
    expect(mean).toBeLessThan(theory * 1.1);
  });

  it('gives a target that never answers no more than the others have under way, and two', () => {
    const targets = [targetOf('a'), targetOf('b'), targetOf('hung')];
    const balancer = new LeastRequests();
    for (let i = 0; i < 50; i += 1) {
      const chosen = balancer.choose(targets);
      const [lease] = busy(chosen, 1);
      if (nameOf(chosen) !== 'hung') lease?.release('success');
    }
    expect(targets[2]?.inFlight).toBe(1);
  });
});

describe('TwoDraws', () => {
  it('never draws one target twice', () => {
    const targets = many(3, (index) => 1 + index * 5);
    const draws = new TwoDraws(randomFrom(4));
    for (let i = 0; i < 1000; i += 1) {
      draws.draw(targets);
      expect(draws.first).not.toBe(draws.second);
    }
  });
});

/** Calls come at random to servers of rate 1, whose queues are served in order; the mean time until they leave. */
function meanTimeInSystem(size: number, calls: number): number {
  const random = randomFrom(5);
  const targets = many(size);
  const balancer = new LeastRequests(random);
  const exponential = (): number => -Math.log(1 - random());
  const queues = new Map(targets.map((target) => [target, [] as number[]]));
  let now = 0;
  let sum = 0;
  for (let call = 0; call < calls; call += 1) {
    now += exponential() / (0.9 * size);
    for (const [target, ends] of queues) {
      while (ends.length > 0 && (ends[0] as number) <= now) ends.shift();
      target.inFlight = ends.length;
    }
    const ends = queues.get(balancer.choose(targets)) as number[];
    const end = Math.max(now, ends.at(-1) ?? 0) + exponential();
    ends.push(end);
    sum += end - now;
  }
  return sum / calls;
}
