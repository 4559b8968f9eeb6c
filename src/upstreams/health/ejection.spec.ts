import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { REFUSED } from '../../policies/circuit-breaker/breaker.ts';
import { outliersOf, type Tally } from './outliers.ts';
import { passiveOf, WatchWorld } from './watch-world.fixture.ts';

let world: WatchWorld;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});

afterEach(() => {
  world.end();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('ejection by failures in a row', () => {
  it('comes at the bound, not before, and a success in between begins anew', () => {
    world = new WatchWorld(3);
    world.call(0, 4);
    world.call(0, 0, 1);
    world.call(0, 4);
    expect(world.ejected).toBe('');
    world.call(0, 1);
    expect([world.ejected, world.at(0).breaker?.admit()]).toEqual(['a', REFUSED]);
    expect(world.said).toEqual(['a open ejected 30000 5 failures in a row']);
  });

  it('takes what says nothing about a target for nothing', () => {
    world = new WatchWorld(3);
    world.call(0, 4);
    const { breaker } = world.at(0);
    breaker?.settle(breaker.admit(), 'neutral');
    expect(world.ejected).toBe('');
    world.call(0, 1);
    expect(world.ejected).toBe('a');
  });

  it('ends by time alone, and lets one call through, which ends it', () => {
    world = new WatchWorld(3);
    world.call(0, 5);
    jest.advanceTimersByTime(29_999);
    expect(world.at(0).breaker?.available).toBe(false);
    jest.advanceTimersByTime(1);
    const probe = world.at(0).breaker?.admit() as number;
    expect([probe < 0, world.at(0).breaker?.available, world.ejected]).toEqual([true, false, 'a']);
    world.at(0).breaker?.settle(probe, 'success');
    expect([world.ejected, world.at(0).breaker?.available]).toEqual(['', true]);
  });

  it('lasts longer each time in a row up to the cap, and a good interval takes one back', () => {
    world = new WatchWorld(3, { ejectFor: '10s', maxEjectFor: '25s', interval: '60s' });
    const { breaker } = world.at(0);
    world.call(0, 5);
    const lasted: (number | undefined)[] = [];
    for (let i = 0; i < 4; i += 1) {
      lasted.push(breaker?.openForMs);
      jest.advanceTimersByTime(breaker?.openForMs ?? 0);
      breaker?.settle(breaker.admit(), i < 3 ? 'failure' : 'success');
    }
    expect(lasted).toEqual([10_000, 20_000, 25_000, 25_000]);
    expect(world.at(0).ejections).toBe(3);
    world.group.sweep();
    world.group.sweep();
    world.call(0, 5);
    expect(breaker?.openForMs).toBe(20_000);
  });

  it('is not ended by good probes', () => {
    world = new WatchWorld(3, {}, 'up');
    world.call(0, 5);
    world.at(0).probed('up', '');
    expect(world.ejected).toBe('a');
  });
});

describe('who is never ejected', () => {
  it.each([
    [1, '50%', ''],
    [2, '10%', 'a'],
    [3, '50%', 'a'],
    [4, '50%', 'ab'],
    [10, '50%', 'abcde'],
    [4, '100%', 'abc'],
  ])('of %i with at most %s', (count, maxEjected, ejected) => {
    world = new WatchWorld(count, { maxEjected });
    for (let i = 0; i < count; i += 1) world.call(i, 5);
    expect(world.ejected).toBe(ejected);
    expect(world.said).toContain(`${world.at(ejected.length).host} spared`);
  });

  it('is told of once in an interval', () => {
    world = new WatchWorld(1);
    world.call(0, 50);
    expect(world.said).toEqual(['a spared']);
    world.group.sweep();
    world.call(0, 5);
    expect(world.said).toEqual(['a spared', 'a spared']);
  });

  it('counts those that are down with the ejected', () => {
    world = new WatchWorld(4, { maxEjected: '50%' }, 'up');
    world.at(3).probed('down', 'status 500');
    world.call(0, 5);
    world.call(1, 5);
    expect(world.ejected).toBe('a');
  });

  it('is the last one that can be called, though others are there', () => {
    world = new WatchWorld(3, { maxEjected: '100%' });
    world.at(1).breaker?.trip('manual', 60_000);
    world.at(2).breaker?.trip('manual', 60_000);
    world.call(0, 5);
    expect(world.ejected).toBe('');
  });
});

describe('ejection at the end of an interval', () => {
  const tally = (calls: number, failures: number, ms = 10): Tally => ({
    calls,
    failures,
    waitedMs: (calls - failures) * ms,
  });
  const many = (count: number, one: Tally): Tally[] => Array.from({ length: count }, () => one);
  const good = tally(100, 0);

  it.each([
    ['error rate at the bound', [tally(100, 85), good], ['error rate', undefined]],
    ['just below the bound', [tally(100, 84), good], [undefined, undefined]],
    ['calls below the minimum', [tally(49, 49), good], [undefined, undefined]],
    ['as many as the minimum', [tally(50, 50), good], ['error rate', undefined]],
    ['1 of 5 is 2 deviations away', [tally(100, 30), ...many(4, good)], ['outlier', ...many4()]],
    ['statistics of 4 say nothing', [tally(100, 30), ...many(3, good)], many4()],
    [
      '2 of 5 are 1.22 deviations away',
      [tally(100, 30), tally(100, 30), ...many(3, good)],
      [...many4(), undefined],
    ],
    [
      '2 of 10 are 2 deviations away',
      [tally(100, 30), tally(100, 30), ...many(8, good)],
      ['outlier', 'outlier', ...many4(), ...many4()],
    ],
    ['one of 5 has too few calls', [tally(100, 30), ...many(3, good), tally(10, 0)], [...many4(), undefined]],
    [
      'three times the median is no more than that',
      [tally(100, 0, 30), ...many(4, good)],
      [...many4(), undefined],
    ],
    ['more than three times the median', [tally(100, 0, 31), ...many(4, good)], ['latency', ...many4()]],
    ['4 are too few for latency', [tally(100, 0, 900), ...many(3, good)], many4()],
    [
      'very fast ones may be slower by 20 ms',
      [tally(100, 0, 20), ...many(4, tally(100, 0, 0.5))],
      [...many4(), undefined],
    ],
  ] as [string, Tally[], unknown[]][])('%s', (_, tallies, reasons) => {
    world = new WatchWorld(1);
    expect(outliersOf(tallies, passiveOf({ latency: 3 }))).toEqual(reasons);
  });

  function many4(): undefined[] {
    return [undefined, undefined, undefined, undefined];
  }

  it('switches each of them off', () => {
    world = new WatchWorld(1);
    const options = passiveOf({ errorRate: 'off', outliers: 'off' });
    const tallies = [tally(100, 100), tally(100, 0, 5000), ...many(8, good)];
    expect(outliersOf(tallies, options)).toEqual(tallies.map(() => undefined));
  });

  it('looks at calls of that interval only', () => {
    world = new WatchWorld(3, { failures: 10_000, interval: '10s' });
    world.call(0, 40);
    jest.advanceTimersByTime(10_000);
    world.call(0, 40);
    jest.advanceTimersByTime(10_000);
    expect(world.ejected).toBe('');
    world.call(0, 50);
    jest.advanceTimersByTime(10_000);
    expect(world.said).toEqual(['a open ejected 30000 error rate, 50 failures of 50 calls']);
  });
});

describe('a target that was not probed yet', () => {
  it('has calls when it is there from the start, and none when it comes to one that is well', () => {
    world = new WatchWorld(2, {}, 'unknown');
    expect(world.watches.map(({ available }) => available)).toEqual([true, true]);
    world.at(0).probed('up', '');
    const late = world.watch('c', 'unknown');
    world.watches.push(late);
    late.start();
    expect(world.watches.map(({ available }) => available)).toEqual([true, true, false]);
    expect(late.reason).toBe('not probed yet');
    late.probed('up', '');
    expect(late.available).toBe(true);
  });

  it('has calls once no other can be called: down, or its breaker open', () => {
    world = new WatchWorld(1, {}, 'up');
    const late = world.watch('b', 'unknown');
    world.watches.push(late);
    late.start();
    expect(late.available).toBe(false);
    world.at(0).breaker?.trip('manual', 1000);
    expect(late.available).toBe(true);
    world.at(0).breaker?.close();
    expect(late.available).toBe(false);
    world.at(0).probed('down', 'refused');
    expect([late.available, world.at(0).available]).toEqual([true, false]);
  });

  it('says so when most go down within one interval, once', () => {
    world = new WatchWorld(3, {}, 'up');
    for (const watch of world.watches) watch.probed('down', 'status 401');
    expect(world.said).toEqual(['a down', 'b down', '2 of 3 down', 'c down']);
  });
});
