import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { targetOf } from './balancing.fixture.ts';
import { priorityLoads } from './priority-loads.ts';
import { paceAt } from './slow-start.ts';
import { BREAKER_OPEN, FULL, levelsOf, UNHEALTHY, waysOf } from './ways.ts';
import { zoneShares } from './zone-shares.ts';

describe('priorityLoads', () => {
  // The tables of Envoy's documentation.
  it.each([
    [[1], [100]],
    [
      [0.72, 1],
      [100, 0],
    ],
    [
      [0.71, 1],
      [99, 1],
    ],
    [
      [0.5, 1],
      [70, 30],
    ],
    [
      [0.25, 1],
      [35, 65],
    ],
    [
      [0, 1],
      [0, 100],
    ],
    [
      [0.25, 0.25],
      [50, 50],
    ],
    [
      [0.5, 0.5, 0.5],
      [70, 30, 0],
    ],
    [
      [0, 0],
      [0, 0],
    ],
  ])('spreads over priorities of which %j are healthy', (healthy, loads) => {
    expect(priorityLoads(healthy).loads).toEqual(loads);
  });

  it('always gives away all of the traffic, and none to who has nobody', () => {
    const random = randomFrom(1);
    for (let i = 0; i < 300; i += 1) {
      const healthy = Array.from(
        { length: 1 + Math.floor(random() * 5) },
        () => Math.floor(random() * 5) / 4,
      );
      const { loads, served } = priorityLoads(healthy);
      expect(loads.reduce((sum, one) => sum + one, 0)).toBe(served === 0 ? 0 : 100);
      healthy.forEach((share, index) => share === 0 && expect(loads[index]).toBe(0));
    }
  });
});

describe('zoneShares', () => {
  const zones = (weights: Record<string, number>) =>
    Object.entries(weights).map(([zone, weight]) => ({ zone, weight }));

  it('keeps all where there are as many targets as anywhere', () => {
    expect(zoneShares(zones({ a: 2, b: 2 }), 'a')).toEqual([1, 0]);
    expect(zoneShares(zones({ a: 8, b: 2, c: 2 }), 'a')).toEqual([1, 0, 0]);
  });

  it('loads every target alike with gateways in every zone, and keeps as much as it can', () => {
    const weights = { a: 2, b: 2, c: 8 };
    const load: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (const gateway of ['a', 'b', 'c'])
      zoneShares(zones(weights), gateway)?.forEach((share, at) => {
        const zone = ['a', 'b', 'c'][at] as 'a' | 'b' | 'c';
        load[zone] = (load[zone] as number) + share / 3 / weights[zone];
      });
    expect(Object.values(load).map((one) => one.toFixed(4))).toEqual(['0.0833', '0.0833', '0.0833']);
    expect(zoneShares(zones(weights), 'a')?.[0]).toBeCloseTo(0.5, 9);
  });

  it('sends all away when nobody is left at home, and keeps out of it where there is one zone', () => {
    expect(zoneShares(zones({ a: 0, b: 2 }), 'a')).toBeUndefined();
    expect(zoneShares(zones({ a: 2 }), 'a')).toBeUndefined();
    expect(zoneShares(zones({ b: 2, c: 2 }), 'a')).toBeUndefined();
  });

  it('gives away all of the traffic, whatever the weights', () => {
    const random = randomFrom(2);
    for (let i = 0; i < 300; i += 1) {
      const weights = Array.from({ length: 2 + Math.floor(random() * 4) }, () => Math.floor(random() * 9));
      const shares = zoneShares(
        weights.map((weight, at) => ({ zone: `${at}`, weight })),
        '0',
      );
      if (shares === undefined) continue;
      expect(shares.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
      weights.forEach((weight, at) => weight === 0 && expect(shares[at]).toBe(0));
    }
  });
});

describe('paceAt', () => {
  it('gives the new one of N equals its share of the time, within two points over the window', () => {
    const [others, windowMs] = [3, 30_000];
    let [stepped, exact] = [0, 0];
    for (let at = 0; at < windowMs; at += 10) {
      const { pace, until } = paceAt(at, 0, windowMs);
      if (until <= at) throw new Error('the next step is not ahead');
      const pure = Math.max(0.1, at / windowMs);
      stepped += pace / (others + pace);
      exact += pure / (others + pure);
    }
    expect(Math.abs(stepped - exact) / (windowMs / 10)).toBeLessThan(0.02);
  });

  it('begins with a tenth and ends', () => {
    expect(paceAt(0, 0, 1000).pace).toBe(0.1);
    expect(paceAt(1000, 0, 1000)).toEqual({ pace: 1, until: Infinity });
    expect(paceAt(5, undefined, 1000)).toEqual({ pace: 1, until: Infinity });
  });
});

describe('waysOf', () => {
  const states: Record<string, number> = {};
  const waysFor = (said: readonly (readonly [number, number])[], panicThreshold = 0.25) => {
    const targets = said.map(([priority, state], index) => {
      const target = targetOf(`t${index}`, { priority });
      states[target.host] = state;
      return target;
    });
    const input = { levels: levelsOf(targets, false), local: undefined, panicThreshold };
    return waysOf({ ...input, stateOf: ({ host }) => states[host] ?? 0 }).map((way) => [
      way.share,
      way.targets.map((one) => targets.indexOf(one)),
    ]);
  };

  it('uses the second priority in the measure that the first is missed', () => {
    expect(
      waysFor([
        [0, 0],
        [0, UNHEALTHY],
        [1, 0],
      ]),
    ).toEqual([
      [0.7, [0]],
      [0.3, [2]],
    ]);
    expect(
      waysFor([
        [0, BREAKER_OPEN],
        [1, 0],
      ]),
    ).toEqual([[1, [1]]]);
  });

  it('does not believe that nearly all are ill, unless told to', () => {
    const one = [0, UNHEALTHY] as const;
    expect(waysFor([one, one, one, one, [0, 0]])).toEqual([[1, [0, 1, 2, 3, 4]]]);
    expect(waysFor([one, one])).toEqual([[1, [0, 1]]]);
    expect(waysFor([one, one], 0)).toEqual([]);
    expect(waysFor([one, one, one, [0, 0]])).toEqual([[1, [3]]]);
  });

  it('believes open breakers even in a panic', () => {
    expect(
      waysFor([
        [0, BREAKER_OPEN],
        [0, BREAKER_OPEN | UNHEALTHY],
      ]),
    ).toEqual([]);
    expect(
      waysFor([
        [0, BREAKER_OPEN],
        [0, UNHEALTHY],
      ]),
    ).toEqual([[1, [1]]]);
  });

  it('does not move a priority for one that is full, but chooses none that is', () => {
    expect(
      waysFor([
        [0, 0],
        [0, FULL],
        [1, 0],
      ]),
    ).toEqual([
      [1, [0]],
      [0, [2]],
    ]);
    expect(
      waysFor([
        [0, FULL],
        [1, 0],
      ]),
    ).toEqual([
      [1, []],
      [0, [1]],
    ]);
  });
});
