import { WaitQueue } from './transport/wait-queue.ts';

/** Who wants a connection. */
export interface SlotTaker {
  /** Hears that it has one now. */
  granted(): void;
  /** Hears that none became free in time. */
  waitedInVain(): void;
}

/**
 * As many slots as a target may have connections for proxied requests. The pool behind them would let requests wait
 * without end; here they wait for a time.
 */
export class ConnectionSlots {
  readonly #waiting: WaitQueue<SlotTaker>;
  #free: number;

  /** @param waitMs how long one may wait for a slot. */
  constructor(slots: number, waitMs: number) {
    this.#free = slots;
    this.#waiting = new WaitQueue(waitMs, (taker) => taker.waitedInVain());
  }

  /** Takes a slot. @returns false when there is none; the taker then hears what becomes of it. */
  take(taker: SlotTaker): boolean {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    this.#waiting.add(taker);
    return false;
  }

  /** Gives a slot back: whoever waits longest has it. */
  giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) return void (this.#free += 1);
    this.#waiting.delete(next);
    next.granted();
  }

  /** Lets go of one that waits. */
  forget(taker: SlotTaker): void {
    this.#waiting.delete(taker);
  }
}
