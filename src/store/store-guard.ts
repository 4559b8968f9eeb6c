import { redisFault } from './redis.ts';

/** What a guarded call yields when the store did not answer: the caller decides what that means. */
export const STORE_UNAVAILABLE: unique symbol = Symbol('STORE_UNAVAILABLE');

/** What a guarded call yields when the store did not answer. */
export type StoreUnavailable = typeof STORE_UNAVAILABLE;

/** How a store guard measures and whom it tells. */
export interface StoreGuardOptions {
  /** Asks the store for a sign of life, for example with PING. */
  readonly probe: () => Promise<unknown>;
  /** What one call may cost a request, in ms. Default 10. */
  readonly budgetMs?: number | undefined;
  /** Failures in a row after which the store is left alone. Default 3. */
  readonly failures?: number | undefined;
  /** Pause before the first probe, in ms; doubles up to one second while probes fail. Default 100. */
  readonly probeAfterMs?: number | undefined;
  /** Called once when the store is given up and once when it is trusted again. */
  readonly onSwitch?: ((state: 'on' | 'off', reason: string) => void) | undefined;
}

const LONGEST_PROBE_PAUSE_MS = 1000;

/**
 * Keeps a slow or dead store from slowing requests: a call costs at most the budget, and after a few failures
 * in a row nothing at all, until a probe in the background got an answer within the budget.
 */
export class StoreGuard {
  readonly #options: StoreGuardOptions;
  readonly #budgetMs: number;
  readonly #failureLimit: number;
  #failures = 0;
  #on = true;
  #closed = false;
  #probeTimer: NodeJS.Timeout | undefined = undefined;

  constructor(options: StoreGuardOptions) {
    this.#options = options;
    this.#budgetMs = options.budgetMs ?? 10;
    this.#failureLimit = options.failures ?? 3;
  }

  /** False while the store is left alone. */
  get available(): boolean {
    return this.#on;
  }

  /**
   * Runs a call to the store. Answers synchronously, without running it, while the store is left alone.
   * Never rejects: a failure, like a late answer, is `STORE_UNAVAILABLE`.
   *
   * @param budgetMs another budget for this call, for work that is not on the request path.
   */
  run<T>(
    call: () => Promise<T>,
    budgetMs = this.#budgetMs,
  ): StoreUnavailable | Promise<T | StoreUnavailable> {
    return this.#on ? this.#timed(call, budgetMs) : STORE_UNAVAILABLE;
  }

  /** Ends the probing. Calls answer `STORE_UNAVAILABLE` from now on. */
  close(): void {
    this.#closed = true;
    this.#on = false;
    clearTimeout(this.#probeTimer);
  }

  #timed<T>(call: () => Promise<T>, budgetMs: number): Promise<T | StoreUnavailable> {
    return new Promise((resolve) => {
      const timed = new TimedCall<T>(budgetMs, resolve, this.#heard);
      call().then(timed.answered, timed.refused);
    });
  }

  /** @param fault why there was no answer in time; undefined when there was one. */
  readonly #heard = (fault: string | undefined): void => {
    if (fault === undefined) this.#failures = 0;
    else this.#failed(fault);
  };

  #failed(reason: string): void {
    this.#failures += 1;
    if (!this.#on || this.#failures < this.#failureLimit) return;
    this.#on = false;
    this.#options.onSwitch?.('off', reason);
    this.#probeAfter(this.#options.probeAfterMs ?? 100);
  }

  #probeAfter(pauseMs: number): void {
    this.#probeTimer = setTimeout(() => void this.#probe(pauseMs), pauseMs).unref();
  }

  async #probe(pauseMs: number): Promise<void> {
    const answer = await this.#timed(this.#options.probe, this.#budgetMs);
    if (this.#closed) return;
    if (answer === STORE_UNAVAILABLE) return this.#probeAfter(Math.min(pauseMs * 2, LONGEST_PROBE_PAUSE_MS));
    this.#on = true;
    this.#options.onSwitch?.('on', 'a probe was answered in time');
  }
}

/**
 * One call under a budget. The budget runs in two slices, each judged after the sockets were read: when this process
 * itself was busy for longer than the budget, the answer that lies in the socket still counts as in time.
 */
class TimedCall<T> {
  readonly #budgetMs: number;
  readonly #resolve: (outcome: T | StoreUnavailable) => void;
  readonly #heard: (fault: string | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  #slicesLeft = 2;
  #settled = false;

  constructor(
    budgetMs: number,
    resolve: (outcome: T | StoreUnavailable) => void,
    heard: (fault: string | undefined) => void,
  ) {
    this.#budgetMs = budgetMs;
    this.#resolve = resolve;
    this.#heard = heard;
    this.#timer = setTimeout(setImmediate, budgetMs / 2, judge, this);
  }

  readonly answered = (value: T): void => {
    clearTimeout(this.#timer);
    if (this.#settled) return;
    this.#settled = true;
    this.#heard(undefined);
    this.#resolve(value);
  };

  readonly refused = (error: unknown): void => {
    clearTimeout(this.#timer);
    this.#fail(redisFault(error));
  };

  /** Ends a slice of the budget. */
  judge(): void {
    this.#slicesLeft -= 1;
    if (this.#slicesLeft === 0) this.#fail(`no answer within ${String(this.#budgetMs)} ms`);
    else if (!this.#settled) this.#timer.refresh();
  }

  #fail(reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#heard(reason);
    this.#resolve(STORE_UNAVAILABLE);
  }
}

function judge(call: { judge(): void }): void {
  call.judge();
}
