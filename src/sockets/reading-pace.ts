/** What one socket may say at once; a message costs one, and one more for each KiB. */
const BURST = 1000;
const UNIT_BYTES = 1024;

/**
 * How fast one client is read. Each message costs the gateway something before any limit can charge it, also a ping, and
 * also one that is refused. Who says more than a person or a program has to say is read on later: nothing is lost.
 */
export class ReadingPace {
  /** What a socket may say at length; specs of floods raise it. */
  static perSecond = 500;

  readonly #pause: () => void;
  readonly #resume: () => void;
  #credit = BURST;
  #filledAt = performance.now();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(pause: () => void, resume: () => void) {
    this.#pause = pause;
    this.#resume = resume;
  }

  /** Counts a message. What was read already goes on coming, and is counted as well. */
  heard(bytes: number): void {
    this.#credit -= 1 + bytes / UNIT_BYTES;
    // The clock is looked at by those only who say much.
    if (this.#credit >= 0 || this.#timer !== undefined) return;
    this.#fill();
    if (this.#credit >= 0) return;
    this.#pause();
    this.#wait();
  }

  /** Ends the clock. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fill(): void {
    const now = performance.now();
    this.#credit = Math.min(BURST, this.#credit + ((now - this.#filledAt) * ReadingPace.perSecond) / 1000);
    this.#filledAt = now;
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#fill();
        if (this.#credit < 0) this.#wait();
        else this.#resume();
      },
      Math.ceil((-this.#credit * 1000) / ReadingPace.perSecond),
    );
  }
}
