import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { adaptiveSchema } from './adaptive-limit.schema.ts';

/** A service that works on so many calls at once and has the rest wait, in the order in which they came. */
interface Service {
  readonly workers: number;
  /** How long it works on a call, on average, in ms, at a time. */
  readonly workMs: (now: number) => number;
}

/** When a call that a worker has ends, and when it came. */
interface Working {
  readonly endsAt: number;
  readonly since: number;
}

interface Result {
  readonly latencies: number[];
  answered: number;
  refused: number;
}

const SECOND = 1000;
const limitOf = (options: object = {}): AdaptiveLimit => {
  const parsed = adaptiveSchema.parse(options);
  if (parsed === 'off') throw new Error('expected bounds');
  return new AdaptiveLimit(parsed);
};

/** Calls that come at random to a service behind a limit; who finds it full goes away. */
class Simulation {
  now = 0;
  readonly limit: AdaptiveLimit;
  readonly #service: Service;
  readonly #random: () => number;
  readonly #working: Working[] = [];
  readonly #waiting: number[] = [];

  constructor(service: Service, seed: number, limit = limitOf()) {
    this.#service = service;
    this.#random = randomFrom(seed);
    this.limit = limit;
  }

  /** Lets so much time pass, with so many calls a second. */
  run(ms: number, perSecond: number): Result {
    const result: Result = { latencies: [], answered: 0, refused: 0 };
    const until = this.now + ms;
    let next = this.now + this.#drawn(SECOND / perSecond);
    for (;;) {
      const first = this.#first();
      const at = Math.min(next, first?.endsAt ?? Infinity);
      if (at > until) break;
      this.now = at;
      if (first !== undefined && first.endsAt === at) this.#end(first, result);
      else {
        this.#arrive(result);
        next = this.now + this.#drawn(SECOND / perSecond);
      }
    }
    this.now = until;
    return result;
  }

  #arrive(result: Result): void {
    if (this.limit.isFull) return void (result.refused += 1);
    this.limit.began();
    if (this.#working.length < this.#service.workers) this.#work(this.now);
    else this.#waiting.push(this.now);
  }

  #work(since: number): void {
    this.#working.push({ endsAt: this.now + this.#drawn(this.#service.workMs(this.now)), since });
  }

  #end(call: Working, result: Result): void {
    this.#working.splice(this.#working.indexOf(call), 1);
    const ms = this.now - call.since;
    this.limit.ended('success', ms, this.now);
    result.latencies.push(ms);
    result.answered += 1;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) this.#work(waiting);
  }

  #first(): Working | undefined {
    let first: Working | undefined;
    for (const one of this.#working) if (first === undefined || one.endsAt < first.endsAt) first = one;
    return first;
  }

  // Half of it is always the same: services are not that random.
  #drawn(mean: number): number {
    return mean / 2 - Math.log(1 - this.#random()) * (mean / 2);
  }
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

const OPTIMUM_MS = 20;
const steady: Service = { workers: 10, workMs: () => OPTIMUM_MS };
/** What it can do in a second. */
const CAPACITY = 500;

describe.each([1, 2])('an adaptive limit, with seed %i', (seed) => {
  it.each([10, 20])(
    'keeps the latency of a service of %i workers near its optimum under 3 times its load',
    (workers) => {
      const capacity = (workers * SECOND) / OPTIMUM_MS;
      const simulation = new Simulation({ ...steady, workers }, seed);
      simulation.run(10 * SECOND, capacity / 4);
      simulation.run(60 * SECOND, capacity * 3);
      const minutes = [0, 1].map(() => simulation.run(60 * SECOND, capacity * 3));
      for (const { latencies, answered } of minutes) {
        expect(mean(latencies)).toBeLessThan(2.6 * OPTIMUM_MS);
        expect(answered / 60).toBeGreaterThan(0.93 * capacity);
      }
    },
  );

  it('finds the optimum though it started under the load', () => {
    const simulation = new Simulation(steady, seed, limitOf({ initial: 150 }));
    simulation.run(180 * SECOND, CAPACITY * 3);
    expect(mean(simulation.run(30 * SECOND, CAPACITY * 3).latencies)).toBeLessThan(2.6 * OPTIMUM_MS);
  });

  it('refuses next to nothing at low load, and does not shrink', () => {
    const simulation = new Simulation(steady, seed);
    const { refused, answered } = simulation.run(300 * SECOND, CAPACITY * 0.3);
    expect(refused / (refused + answered)).toBeLessThan(0.001);
    expect(simulation.limit.value).toBeGreaterThanOrEqual(19);
  });

  it('recovers: after the load, and after the service was ten times as slow for a while', () => {
    const slowFrom = 60 * SECOND;
    const slowUntil = 80 * SECOND;
    const workMs = (now: number) => (now >= slowFrom && now < slowUntil ? 10 : 1) * OPTIMUM_MS;
    const simulation = new Simulation({ ...steady, workMs }, seed);
    simulation.run(60 * SECOND, CAPACITY * 0.8);
    const slow = simulation.run(20 * SECOND, CAPACITY * 0.8);
    expect(slow.refused).toBeGreaterThan(slow.answered);
    simulation.run(20 * SECOND, CAPACITY * 0.8);
    const { refused, answered, latencies } = simulation.run(60 * SECOND, CAPACITY * 0.8);
    expect(refused / (refused + answered)).toBeLessThan(0.02);
    expect(mean(latencies)).toBeLessThan(2 * OPTIMUM_MS);
  });

  it('learns that a service has become slower for good, and gives it all that it can do', () => {
    const workMs = (now: number) => (now < 60 * SECOND ? 1 : 3) * OPTIMUM_MS;
    const simulation = new Simulation({ workers: 20, workMs }, seed);
    simulation.run(60 * SECOND, 250);
    // It can do 333 a second now.
    simulation.run(180 * SECOND, 1000);
    const { answered, latencies } = simulation.run(60 * SECOND, 1000);
    expect(answered / 60).toBeGreaterThan(0.9 * 333);
    expect(mean(latencies)).toBeLessThan(2.6 * 3 * OPTIMUM_MS);
  });
});
