import { setImmediate as turn } from 'node:timers/promises';

/** Work goes on for so long between two turns of the event loop, at least. */
const LEAST_MS = 5;
/** What it takes of the time besides, where others have long turns: else it would never end just when it is needed most. */
const SHARE = 0.25;
/** However long they were: a process that was stopped for seconds owes whoever waits an answer first. */
const MOST_MS = 50;

/** Time that long work has before others have their turn of the event loop. */
export class Slices {
  readonly #now: () => number;
  #until: number;

  /** @param now in ms. */
  constructor(now = (): number => performance.now()) {
    this.#now = now;
    this.#until = now() + LEAST_MS;
  }

  /** Ends a piece of it: others have their turn when the time is over. */
  async pause(): Promise<void> {
    const endedAt = this.#now();
    if (endedAt < this.#until) return;
    await turn();
    const now = this.#now();
    this.#until = now + Math.min(MOST_MS, Math.max(LEAST_MS, SHARE * (now - endedAt)));
  }
}
