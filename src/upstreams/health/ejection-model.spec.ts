import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import type { TargetWatch } from './target-watch.ts';
import { WatchWorld } from './watch-world.fixture.ts';

const [EJECT_MS, MOST_MS, INTERVAL_MS, FAILURES] = [10_000, 45_000, 7000, 3];

interface One {
  state: 'in' | 'out' | 'probe';
  row: number;
  times: number;
  until: number;
  lasts: number;
}

/** Ejection in the fewest words. */
class Model {
  now = 0;
  sweepAt = INTERVAL_MS;
  readonly all: One[];
  readonly cap: number;

  constructor(count: number, share: number) {
    this.all = Array.from({ length: count }, () => ({ state: 'in', row: 0, times: 0, until: 0, lasts: 0 }));
    this.cap = Math.max(1, Math.floor(share * count));
  }

  get out(): number {
    return this.all.filter(({ state }) => state !== 'in').length;
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const ends = this.all.filter(({ state }) => state === 'out').map(({ until }) => until);
      const next = Math.min(this.sweepAt, ...ends);
      if (next > end) break;
      this.now = next;
      for (const one of this.all) if (one.state === 'out' && one.until === next) one.state = 'probe';
      if (next !== this.sweepAt) continue;
      this.sweepAt += INTERVAL_MS;
      for (const one of this.all) if (one.state === 'in') one.times = Math.max(0, one.times - 1);
    }
    this.now = end;
  }

  ended(one: One, failed: boolean): void {
    if (one.state === 'probe') {
      if (failed) this.eject(one);
      else [one.state, one.row] = ['in', 0];
      return;
    }
    one.row = failed ? one.row + 1 : 0;
    const last = this.all.filter(({ state }) => state === 'in').length === 1;
    if (failed && one.row % FAILURES === 0 && this.out < this.cap && !last) this.eject(one);
  }

  eject(one: One): void {
    if (one.times * EJECT_MS < MOST_MS) one.times += 1;
    one.lasts = Math.min(one.times * EJECT_MS, MOST_MS);
    [one.state, one.row, one.until] = ['out', 0, this.now + one.lasts];
  }
}

const leftMs = ({ breaker }: TargetWatch): number => Math.round(breaker?.openForMs ?? 0);

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => void jest.useRealTimers());

it.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'ejection does what its model does, seed %i',
  (seed) => {
    const random = randomFrom(seed);
    const count = 2 + (seed % 6);
    const share = [0.1, 0.5, 1][seed % 3] as number;
    const options = { failures: FAILURES, ejectFor: '10s', maxEjectFor: '45s', interval: '7s' };
    const world = new WatchWorld(count, { ...options, maxEjected: `${share * 100}%` });
    const model = new Model(count, share);
    const badness = Array.from({ length: count }, () => random());
    let ejections = 0;
    for (let step = 0; step < 600; step += 1) {
      if (random() < 0.75) {
        const index = Math.floor(random() * count);
        const { breaker } = world.at(index);
        const admission = breaker?.admit() ?? 0;
        const one = model.all[index] as One;
        if ((admission === 0) !== (one.state === 'out')) throw new Error(`step ${step}`);
        if (admission === 0) continue;
        const failed = random() < (badness[index] as number);
        const was = one.state;
        model.ended(one, failed);
        breaker?.settle(admission, failed ? 'failure' : 'success');
        if (was !== 'out' && one.state === 'out') ejections += 1;
      } else {
        const ms = Math.floor(random() * 4000);
        model.advance(ms);
        jest.advanceTimersByTime(ms);
      }
      const is = world.watches.flatMap((one) => [one.isEjected, one.ejections, leftMs(one)]);
      const expected = model.all.flatMap((one) => [
        one.state !== 'in',
        one.times,
        one.state === 'out' ? one.until - model.now : 0,
      ]);
      // `expect` is too slow for so many.
      if (is.some((value, i) => value !== expected[i])) expect([step, is]).toEqual([step, expected]);
      if (model.out > Math.min(model.cap, count - 1)) throw new Error('too many are out');
    }
    expect(ejections).toBeGreaterThan(0);
    // All of them end without any traffic.
    jest.advanceTimersByTime(MOST_MS);
    expect(world.watches.every(({ breaker }) => breaker?.available)).toBe(true);
    world.end();
  },
);
