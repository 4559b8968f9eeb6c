/** How far back it looks. */
const WINDOW_S = 10;
/** Retries that it allows in a window whatever the traffic was. */
const MINIMUM = 3;
/** One for the second that is under way; what is counted for less than a whole window is counted for one more second. */
const SLOTS = WINDOW_S + 1;
/** A third of 300 is 100, whatever floating point makes of it. */
const ROUNDING = 1e-6;

/**
 * Keeps retries to a share of the requests of the last ten seconds, and a few more, so that they cannot turn an outage
 * into a storm. Nothing is saved for longer: after a quiet hour an outage begins with those few.
 */
export class RetryBudget {
  readonly #share: number;
  /** By second, as a ring. */
  readonly #requests = new Int32Array(SLOTS);
  readonly #retries = new Int32Array(SLOTS);
  #second = 0;

  /** @param share retries per request, 0 to 1. */
  constructor(share: number) {
    this.#share = share;
  }

  /**
   * Counts a first attempt.
   *
   * @param now on the clock of `performance.now()`.
   */
  earn(now: number): void {
    const slot = this.#slotOf(now);
    this.#requests[slot] = (this.#requests[slot] as number) + 1;
  }

  /**
   * Takes the right to one retry, if there is one.
   *
   * @param now on the clock of `performance.now()`.
   */
  spend(now: number): boolean {
    if (this.#share === 0) return false;
    const slot = this.#slotOf(now);
    const oldest = (slot + 1) % SLOTS;
    let requests = 0;
    let retries = 0;
    // Retries of a second more than requests: in no ten seconds, wherever they begin, are there more than allowed.
    for (let i = 0; i < SLOTS; i += 1) {
      if (i !== oldest) requests += this.#requests[i] as number;
      retries += this.#retries[i] as number;
    }
    if (retries + 1 > requests * this.#share + MINIMUM + ROUNDING) return false;
    this.#retries[slot] = (this.#retries[slot] as number) + 1;
    return true;
  }

  #slotOf(now: number): number {
    const second = Math.floor(now / 1000);
    if (second > this.#second) {
      const passed = Math.min(second - this.#second, SLOTS);
      for (let i = 0; i < passed; i += 1) {
        const slot = (second - i) % SLOTS;
        this.#requests[slot] = this.#retries[slot] = 0;
      }
      this.#second = second;
    }
    return this.#second % SLOTS;
  }
}
