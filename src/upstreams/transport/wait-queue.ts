/** How long anybody waits where nothing is configured, in ms. */
export const QUEUE_TIMEOUT_MS = 1000;

/** Those who wait for their turn, first come, first served, and none of them longer than a time. */
export class WaitQueue<Waiter> {
  readonly #waitMs: number;
  readonly #onTooLong: (waiter: Waiter) => void;
  /** Until when each may wait, on the clock of `performance.now()`; the first to come is the first to go. */
  readonly #waiting = new Map<Waiter, number>();
  #timer: NodeJS.Timeout | undefined = undefined;

  /** @param onTooLong hears of each that has waited in vain; it waits no more by then. */
  constructor(waitMs: number, onTooLong: (waiter: Waiter) => void) {
    this.#waitMs = waitMs;
    this.#onTooLong = onTooLong;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Those who wait, in order. */
  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiting.keys();
  }

  /** Puts one at the end. */
  add(waiter: Waiter): void {
    this.#waiting.set(waiter, performance.now() + this.#waitMs);
    this.#timer ??= setTimeout(() => this.#expire(), this.#waitMs);
  }

  /** Takes one out. */
  delete(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size === 0) this.#stop();
  }

  /** Lets all go. */
  clear(): void {
    this.#waiting.clear();
    this.#stop();
  }

  #expire(): void {
    this.#timer = undefined;
    for (const [waiter, until] of this.#waiting) {
      const left = until - performance.now();
      // A timer may come a little early.
      if (left > 1) {
        this.#timer ??= setTimeout(() => this.#expire(), Math.ceil(left));
        return;
      }
      this.#waiting.delete(waiter);
      this.#onTooLong(waiter);
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
