/**
 * The calls under way at all targets of an upstream, whichever part of it or which configuration has made them, and who waits
 * for one to end.
 */
export class CallsUnderWay {
  /** How many there are. Written by leases only. */
  count = 0;
  /** The queues in which somebody waits; the first is the next to be served. */
  readonly #queues = new Set<() => void>();

  /** Whether anybody waits, in whichever queue. */
  get isAwaited(): boolean {
    return this.#queues.size > 0;
  }

  /** Has a queue hear of each that ends, after those that do already. */
  await(wake: () => void): void {
    this.#queues.add(wake);
  }

  /** Ends an {@link await}. */
  forget(wake: () => void): void {
    this.#queues.delete(wake);
  }

  /** Has the other queues served before this one: where several wait for the same targets, they take turns. */
  passOn(wake: () => void): void {
    if (this.#queues.delete(wake)) this.#queues.add(wake);
  }

  /** Tells all queues that there may be a place. */
  wake(): void {
    if (this.#queues.size > 0) for (const wake of this.#queues) wake();
  }
}
