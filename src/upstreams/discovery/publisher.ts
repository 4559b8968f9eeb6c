const AT_MOST_EVERY_MS = 250;

/** Passes changes on: the first at once, those that follow it closely together. */
export class Publisher {
  readonly #publish: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #lastAt = -Infinity;

  constructor(publish: () => void) {
    this.#publish = publish;
  }

  /** Something has changed. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#lastAt + AT_MOST_EVERY_MS - performance.now();
    if (waitMs <= 0) return this.#now();
    this.#timer = setTimeout(() => this.#now(), waitMs).unref();
  }

  /** Passes nothing on any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #now(): void {
    this.#timer = undefined;
    this.#lastAt = performance.now();
    this.#publish();
  }
}
