/**
 * A deadline that moves often and seldom passes, such as the one of each request on a connection: one timer stays in
 * place and looks, when it fires, where the deadline is by now. It never passes early, and late by no more than timers are.
 */
export class MovingDeadline {
  readonly #onPassed: () => void;
  /** On the clock of `performance.now()`. */
  #at = Infinity;
  #firesAt = Infinity;
  #timer: NodeJS.Timeout | undefined = undefined;

  /** @param onPassed hears once when it has passed. */
  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
  }

  /** Moves it. @param ms from now; `Infinity`: never. */
  set(ms: number): void {
    if (ms === Infinity) return this.rest();
    this.#at = performance.now() + ms;
    if (this.#at >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#arm(ms);
  }

  /** Takes it away until it is set again. */
  rest(): void {
    this.#at = Infinity;
  }

  /** Takes it away for good. */
  end(): void {
    this.#at = Infinity;
    this.#firesAt = Infinity;
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#firesAt = performance.now() + ms;
    // The socket that it belongs to keeps the process, or nothing does.
    this.#timer = setTimeout(look, Math.ceil(ms), this).unref();
  }

  /** Looks whether it has passed. */
  look(): void {
    this.#firesAt = Infinity;
    if (this.#at === Infinity) return;
    const left = this.#at - performance.now();
    if (left > 0) return this.#arm(left);
    this.#at = Infinity;
    this.#onPassed();
  }
}

function look(deadline: MovingDeadline): void {
  deadline.look();
}
