import { realTimers } from '../../simulate/fake-timers.ts';
import { TestingError } from '../testing-error.ts';

/** How long something is waited for, in ms of real time. */
const PATIENCE_MS = 5000;

/** Fails when something has not come within 5 s of real time, whatever the clock of the test says. */
export async function inTime<Result>(work: Promise<Result>, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realTimers.setTimeout(
      () => reject(new TestingError(`waited ${PATIENCE_MS / 1000} s for ${what}, and nothing came`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    realTimers.clearTimeout(timer);
  }
}

/** What has come and nobody has read, and who waits for what comes. */
export class Mailbox<Item> {
  readonly #items: Item[] = [];
  readonly #readers: ((item: Item | undefined) => void)[] = [];
  #isEnded = false;

  /** Takes one in. */
  push(item: Item): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#items.push(item);
    else reader(item);
  }

  /** Nothing comes any more. */
  end(): void {
    this.#isEnded = true;
    for (const reader of this.#readers.splice(0)) reader(undefined);
  }

  /** The next one; undefined where none comes any more. */
  next(): Promise<Item | undefined> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#isEnded) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#readers.push(resolve));
  }
}
