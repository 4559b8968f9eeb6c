import { randomFrom } from '../../../test/support/random.ts';
import { PUBLISH_US, PUBLISH_US_A_LISTENER, ROUND_TRIP_MS } from './constants.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The 99th percentile of a normal distribution, in standard deviations. */
const P99 = 2.326;

/** Of the network between replicas and Redis. */
export interface RoundTrip {
  readonly p50: number;
  readonly p99: number;
}

/**
 * A Redis as its clients see it: a network whose round trips are log-normal by their p50 and p99, and one thread that does one
 * command after the other, each for as long as such a command was measured to take.
 */
export class RedisModel {
  /** Commands of clients. */
  commands = 0;
  /** Messages that were handed to listeners. */
  deliveries = 0;
  /** What its thread has worked, in ms. */
  busyMs = 0;
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #trip: RoundTrip;
  #freeAt = 0;

  constructor(time: VirtualTime, seed: number, trip: RoundTrip = ROUND_TRIP_MS) {
    this.#time = time;
    this.#random = randomFrom(seed);
    this.#trip = trip;
  }

  /** Sends a command. @param execute is called when its turn has come. @param answered when its answer is there. */
  send<T>(us: number | (() => number), execute: () => T | Promise<T>, answered: (reply: T) => void): void {
    this.commands += 1;
    this.#time.after(this.#halfTrip(), () => {
      const ms = (typeof us === 'number' ? us : us()) / 1000;
      const doneAt = Math.max(this.#time.now, this.#freeAt) + ms;
      this.#freeAt = doneAt;
      this.busyMs += ms;
      this.#time.after(doneAt - this.#time.now, async () => {
        const reply = await execute();
        this.#time.after(this.#halfTrip(), () => answered(reply));
      });
    });
  }

  /** Works on for so many µs: what comes next waits for it. */
  work(us: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#time.now) + us / 1000;
    this.busyMs += us / 1000;
  }

  /** Publishes a message to all listeners, each of which hears it in its own time. */
  publish(listeners: readonly (() => void)[]): void {
    const us = PUBLISH_US + PUBLISH_US_A_LISTENER * listeners.length;
    this.send(
      us,
      () => {
        this.deliveries += listeners.length;
        for (const listener of listeners) this.#time.after(this.#halfTrip(), listener);
      },
      () => undefined,
    );
  }

  #halfTrip(): number {
    const { p50, p99 } = this.#trip;
    const [one, other] = [1 - this.#random(), this.#random()];
    // Box and Muller (1958).
    const normal = Math.sqrt(-2 * Math.log(one)) * Math.cos(2 * Math.PI * other);
    return (p50 / 2) * Math.exp((Math.log(p99 / p50) / P99) * normal);
  }
}
