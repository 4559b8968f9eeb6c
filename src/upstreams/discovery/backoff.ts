const BASE_MS = 500;
const CAP_MS = 30_000;
const HEALTHY_AFTER_MS = 10_000;

/** How long to wait after failures in a row: a random part of a time that doubles, so that many gateways do not keep step. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;
  #healthySince: number | undefined = undefined;

  /** @param random from 0 to below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Notes a success. Only a while of them makes the next failure a first one. @param now in ms, of a clock that never goes back. */
  succeeded(now: number): void {
    this.#healthySince ??= now;
  }

  /** Notes a failure. @returns how long to wait, in ms. */
  failed(now: number): number {
    const healthyMs = this.#healthySince === undefined ? 0 : now - this.#healthySince;
    if (healthyMs >= HEALTHY_AFTER_MS) this.#failures = 0;
    this.#healthySince = undefined;
    const most = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return this.#random() * most;
  }
}
