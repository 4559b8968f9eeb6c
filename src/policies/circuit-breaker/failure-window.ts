import type { BreakerOptions } from './circuit-breaker.policy.ts';

/** When failures are too many. */
export type FailureLimits = Pick<BreakerOptions, 'window' | 'errorRate' | 'consecutiveFailures'>;

/** The outcomes of the last N calls, and how many failures there were in a row. Allocates nothing after it is made. */
export class FailureWindow {
  readonly #limits: FailureLimits;
  readonly #outcomes: Uint8Array;
  #position = 0;
  #seen = 0;
  #failures = 0;
  #consecutive = 0;

  constructor(limits: FailureLimits) {
    this.#limits = limits;
    this.#outcomes = new Uint8Array(limits.window);
  }

  /** Takes the outcome of a call. @returns whether failures are too many by now. */
  record(failure: 0 | 1): boolean {
    const outcomes = this.#outcomes;
    this.#failures += failure - (outcomes[this.#position] ?? 0);
    outcomes[this.#position] = failure;
    this.#position = (this.#position + 1) % outcomes.length;
    if (this.#seen < outcomes.length) this.#seen += 1;
    this.#consecutive = failure === 1 ? this.#consecutive + 1 : 0;
    return failure === 1 && this.#isTooMuch();
  }

  /** Forgets all of it. */
  clear(): void {
    this.#outcomes.fill(0);
    this.#position = this.#seen = this.#failures = this.#consecutive = 0;
  }

  #isTooMuch(): boolean {
    const { consecutiveFailures, errorRate } = this.#limits;
    if (this.#consecutive >= consecutiveFailures) return true;
    return this.#seen >= this.#outcomes.length && this.#failures / this.#seen >= errorRate;
  }
}
