import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { Lease } from '../lease.ts';
import { Target } from '../target.ts';
import { countsOf, marginOf, nameOf, switchedOf, targetOf } from './balancing.fixture.ts';
import { balancerOf } from './balancer.ts';
import { TargetPool, type PoolOptions } from './target-pool.ts';

const USUAL: PoolOptions = { local: undefined, slowStartMs: 0, panicThreshold: 0.25, isStrict: true };

function poolOf(targets: readonly Target[], options: Partial<PoolOptions> = {}): TargetPool {
  return new TargetPool({ targets }, balancerOf('roundRobin'), { ...USUAL, ...options });
}

function sharesOf(pool: TargetPool, times: number): Record<string, number> {
  const names = Array.from({ length: times }, () => nameOf(pool.choose(undefined, []) as Target));
  return Object.fromEntries(Object.entries(countsOf(names)).map(([name, count]) => [name, count / times]));
}

beforeEach(() => void jest.useFakeTimers());

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('TargetPool', () => {
  it('never chooses who is not available, and always somebody who is, on random schedules', () => {
    const random = randomFrom(1);
    jest.spyOn(Math, 'random').mockImplementation(random);
    const faults: unknown[] = [];
    for (const balancing of ['roundRobin', 'leastRequests', 'ewma'] as const) {
      const made = Array.from({ length: 6 }, (_, at) =>
        switchedOf(`t${at}`, { priority: at % 2, weight: 1 + at, zone: at % 3 === 0 ? 'a' : 'b' }),
      );
      const targets = made.map(([target]) => target);
      const options = { ...USUAL, local: 'a', slowStartMs: 50, panicThreshold: 0 };
      const pool = new TargetPool({ targets }, balancerOf(balancing), options);
      for (let step = 0; step < 2000; step += 1) {
        for (const [, health] of made)
          health.available = random() < 0.1 ? !health.available : health.available;
        const tried = targets.filter(() => random() < 0.1);
        const open = targets.filter(({ available }) => available);
        const chosen = pool.choose(undefined, tried);
        const fresh = open.filter((one) => !tried.includes(one));
        const choices: readonly (Target | undefined)[] =
          fresh.length > 0 ? fresh : open.length > 0 ? open : [undefined];
        if (!choices.includes(chosen) || pool.hasFresh(tried) !== fresh.length > 0)
          faults.push([balancing, step]);
        if (step % 10 === 0) jest.advanceTimersByTime(100);
      }
    }
    expect(faults).toEqual([]);
  });

  it('serves from the first priority, from both by the Envoy measure, and goes back', () => {
    jest.spyOn(Math, 'random').mockImplementation(randomFrom(2));
    const [[a, first], [b], [c]] = [switchedOf('a'), switchedOf('b'), switchedOf('c', { priority: 1 })];
    const pool = poolOf([a, b, c]);
    expect(sharesOf(pool, 100)).toEqual({ a: 0.5, b: 0.5 });
    first.available = false;
    const { b: stays = 0, c: goes = 0 } = sharesOf(pool, 20_000);
    expect(Math.abs(stays - 0.7)).toBeLessThan(marginOf(0.7, 20_000));
    expect(goes).toBeCloseTo(1 - stays, 9);
    first.available = true;
    expect(sharesOf(pool, 100)).toEqual({ a: 0.5, b: 0.5 });
  });

  it('prefers its own zone within what the zone can bear, and goes elsewhere when that is full', () => {
    jest.spyOn(Math, 'random').mockImplementation(randomFrom(3));
    const near = targetOf('near', { zone: 'a' }, { capacity: 1 });
    const far = targetOf('far', { zone: 'b' });
    const pool = poolOf([near, far], { local: 'a' });
    expect(sharesOf(pool, 50)).toEqual({ near: 1 });
    const lease = new Lease(near);
    expect(sharesOf(pool, 50)).toEqual({ far: 1 });
    lease.release('success');
    expect(sharesOf(pool, 50)).toEqual({ near: 1 });
  });

  it('has a target that comes, or comes back, start slowly; none at the start, and not while most are new', () => {
    const [[a], [b, health], c] = [switchedOf('a'), switchedOf('b'), targetOf('c')];
    const source = { targets: [a, b] as readonly Target[] };
    const pool = new TargetPool(source, balancerOf('roundRobin'), { ...USUAL, slowStartMs: 10_000 });
    expect(sharesOf(pool, 100)).toEqual({ a: 0.5, b: 0.5 });
    source.targets = [a, b, c];
    const { c: slow = 0 } = sharesOf(pool, 2100);
    expect(slow).toBeCloseTo(0.1 / 2.1, 2);
    jest.advanceTimersByTime(5000);
    expect(sharesOf(pool, 2500)['c']).toBeCloseTo(0.51 / 2.51, 2);
    jest.advanceTimersByTime(5000);
    expect(sharesOf(pool, 300)['c']).toBeCloseTo(1 / 3, 2);
    health.available = false;
    expect(sharesOf(pool, 10)).toEqual({ a: 0.5, c: 0.5 });
    health.available = true;
    expect(sharesOf(pool, 2100)['b']).toBeCloseTo(0.1 / 2.1, 2);
    source.targets = [a, targetOf('d'), targetOf('e')];
    expect(sharesOf(pool, 300)).toEqual({ a: 1 / 3, d: 1 / 3, e: 1 / 3 });
  });

  it('minds a weight that changes while it works', () => {
    const [a, b] = [targetOf('a'), targetOf('b')];
    const pool = poolOf([a, b]);
    expect(sharesOf(pool, 100)).toEqual({ a: 0.5, b: 0.5 });
    a.retune({ url: a.origin, weight: 3, labels: {}, priority: 0 });
    expect(sharesOf(pool, 100)).toEqual({ a: 0.75, b: 0.25 });
  });

  it('has only those with its labels', () => {
    const [stable, canary] = [
      targetOf('s', { labels: { track: 'stable' } }),
      targetOf('c', { labels: { track: 'canary' } }),
    ];
    expect(sharesOf(poolOf([stable, canary], { labels: { track: 'canary' } }), 10)).toEqual({ c: 1 });
    expect(poolOf([stable], { labels: { track: 'canary' } }).choose(undefined, [])).toBeUndefined();
  });

  it('chooses no full target if it is strict, and else only while all are', () => {
    const [a, b] = [targetOf('a', {}, { capacity: 1 }), targetOf('b', {}, { capacity: 1 })];
    const [strict, soft] = [poolOf([a, b]), poolOf([a, b], { isStrict: false })];
    new Lease(a);
    expect([sharesOf(strict, 10), sharesOf(soft, 10)]).toEqual([{ b: 1 }, { b: 1 }]);
    const lease = new Lease(b);
    expect([strict.choose(undefined, []), strict.lack]).toEqual([undefined, 'full']);
    expect(sharesOf(soft, 10)).toEqual({ a: 0.5, b: 0.5 });
    lease.release('success');
    expect([sharesOf(strict, 10), sharesOf(soft, 10)]).toEqual([{ b: 1 }, { b: 1 }]);
  });
});
