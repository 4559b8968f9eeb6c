import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import type { Target } from '../target.ts';
import { nameOf, switchedOf, type Switch } from './balancing.fixture.ts';
import { balancerOf } from './balancer.ts';
import { TargetPool } from './target-pool.ts';

const STEPS = 50;

/** A slow start in the fewest words: since when each is on its way. */
class Model {
  readonly #since = new Map<Target, number>();
  readonly #slowMs: number;
  #well = new Map<Target, boolean>();

  constructor(slowMs: number) {
    this.#slowMs = slowMs;
  }

  /** Looks at all of them, as whoever chooses does. */
  look(all: readonly Target[], now: number): void {
    const before = this.#well;
    this.#well = new Map(all.map((one) => [one, one.available]));
    for (const one of this.#since.keys()) if (!all.includes(one)) this.#since.delete(one);
    if (before.size === 0) return;
    for (const one of all) {
      const isNew = !before.has(one);
      if (isNew || (one.available && before.get(one) === false)) this.#since.set(one, now);
    }
  }

  /** What each may have of its weight: a tenth at first, all at the end, in steps. */
  shares(all: readonly Target[], now: number): Map<Target, number> {
    for (const [one, since] of this.#since) if (now - since >= this.#slowMs) this.#since.delete(one);
    const pace = (one: Target): number => {
      const since = this.#since.get(one);
      if (since === undefined) return 1;
      const step = Math.floor((now - since) / (this.#slowMs / STEPS));
      return Math.max(0.1, (step + 0.5) / STEPS);
    };
    // Where most are new there is nobody to leave the traffic to.
    const isMost = this.#since.size * 2 > all.length;
    return new Map(all.map((one) => [one, one.weight * (isMost ? 1 : pace(one))]));
  }
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'a slow start does what its model does, seed %i',
  (seed) => {
    const random = randomFrom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const slowMs = 1000 * (1 + pick(20));
    const healths = new Map<Target, Switch>();
    const make = (): Target => {
      const [target, health] = switchedOf(`t${healths.size}`, { weight: 1 + pick(4) });
      healths.set(target, health);
      return target;
    };
    const source: { targets: readonly Target[] } = { targets: Array.from({ length: 4 + pick(5) }, make) };
    const options = { local: undefined, slowStartMs: slowMs, panicThreshold: 0, isStrict: true };
    const pool = new TargetPool(source, balancerOf('roundRobin'), options);
    const model = new Model(slowMs);
    let slow = 0;
    for (let step = 0; step < 400; step += 1) {
      const what = random();
      if (what < 0.04) source.targets = [...source.targets.slice(pick(2)), make()];
      else if (what < 0.1) {
        const health = healths.get(source.targets[pick(source.targets.length)] as Target) as Switch;
        health.available = !health.available;
      } else jest.advanceTimersByTime(pick(slowMs / 5));
      const now = performance.now();
      // One was tried: then all are looked at.
      pool.choose(undefined, source.targets.slice(0, 1));
      model.look(source.targets, now);
      const expected = model.shares(source.targets, now);
      for (const target of source.targets) {
        const share = expected.get(target) as number;
        if (share < target.weight) slow += 1;
        if (Math.abs(target.share - share) > 1e-9)
          expect([step, nameOf(target), target.share]).toEqual([step, nameOf(target), share]);
      }
    }
    expect(slow).toBeGreaterThan(20);
  },
);
