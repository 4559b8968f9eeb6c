import { describe, expect, it } from '@jest/globals';
import { Lease, Target } from '../target.ts';
import { balancers } from './balancer.ts';
import { LeastRequests } from './least-requests.ts';
import { RoundRobin } from './round-robin.ts';

const target = (name: string, weight = 1) =>
  new Target({ url: `http://${name}:80`, weight, labels: {}, priority: 0 }, {});
const nameOf = ({ host }: Target) => host.slice(0, -3);

function choices(balancer: RoundRobin | LeastRequests, targets: readonly Target[], times: number): string {
  return Array.from({ length: times }, () => nameOf(balancer.choose(targets))).join('');
}

function countsOf(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const letter of text) counts[letter] = (counts[letter] ?? 0) + 1;
  return counts;
}

describe('RoundRobin', () => {
  it('lets equals take turns', () => {
    const targets = [target('a'), target('b'), target('c')];
    const order = choices(new RoundRobin(), targets, 9);
    expect(order.slice(0, 3)).toBe(order.slice(3, 6));
    expect(countsOf(order)).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('keeps to the weights exactly in every cycle', () => {
    const targets = [target('a', 5), target('b', 1), target('c', 2)];
    const balancer = new RoundRobin();
    for (let cycle = 0; cycle < 4; cycle += 1) {
      expect(countsOf(choices(balancer, targets, 8))).toEqual({ a: 5, b: 1, c: 2 });
    }
  });

  it('spreads a heavy target out instead of calling it in a row', () => {
    expect(choices(new RoundRobin(), [target('a', 5), target('b', 1), target('c', 1)], 7)).toBe('aabacaa');
  });

  it('goes on with whoever is left', () => {
    const [a, b, c] = [target('a'), target('b'), target('c')];
    const balancer = new RoundRobin();
    choices(balancer, [a, b, c], 2);
    expect(countsOf(choices(balancer, [a, c], 10))).toEqual({ a: 5, c: 5 });
    expect(choices(balancer, [b], 3)).toBe('bbb');
    expect(countsOf(choices(balancer, [a, b, c], 9))).toEqual({ a: 3, b: 3, c: 3 });
  });
});

describe('LeastRequests', () => {
  it('lets equals take turns', () => {
    expect(countsOf(choices(new LeastRequests(), [target('a'), target('b'), target('c')], 9))).toEqual({
      a: 3,
      b: 3,
      c: 3,
    });
  });

  it('takes the target with the fewest calls under way', () => {
    const [a, b, c] = [target('a'), target('b'), target('c')];
    const leases = [new Lease(a), new Lease(a), new Lease(b), new Lease(c), new Lease(c)];
    expect(choices(new LeastRequests(), [a, b, c], 4)).toBe('bbbb');
    for (const lease of leases) lease.release('success');
    expect(countsOf(choices(new LeastRequests(), [a, b, c], 6))).toEqual({ a: 2, b: 2, c: 2 });
  });

  it('measures calls against the weight', () => {
    const [heavy, light] = [target('h', 4), target('l', 1)];
    const leases = [heavy, heavy, heavy, light].map((one) => new Lease(one));
    expect(choices(new LeastRequests(), [light, heavy], 3)).toBe('hhh');
    leases.push(new Lease(heavy), new Lease(heavy));
    expect(choices(new LeastRequests(), [light, heavy], 3)).toBe('lll');
  });
});

describe('balancers', () => {
  it('are made anew for each upstream', () => {
    expect(balancers.roundRobin()).toBeInstanceOf(RoundRobin);
    expect(balancers.leastRequests()).toBeInstanceOf(LeastRequests);
    expect(balancers.roundRobin()).not.toBe(balancers.roundRobin());
  });
});
