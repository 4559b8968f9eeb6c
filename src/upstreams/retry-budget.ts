const FLOOR = 3;
const MAX_SAVED = 1000;

/**
 * Keeps retries to a share of the requests, so that they cannot turn an outage into a storm. Every request
 * earns a share of a retry; a retry spends a whole one. A few are there from the start and after a lull.
 */
export class RetryBudget {
  readonly #share: number;
  #saved = FLOOR;

  /** @param share retries per request, 0 to 1. */
  constructor(share: number) {
    this.#share = share;
  }

  /** Counts a first attempt. */
  earn(): void {
    if (this.#saved < MAX_SAVED) this.#saved += this.#share;
  }

  /** Takes the right to one retry, if there is one. */
  spend(): boolean {
    if (this.#share === 0 || this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
