import { noteStoreWait } from '../telemetry/store-wait.ts';
import { STORE_UNAVAILABLE, TimedCall, type CallEnd, type StoreUnavailable } from './timed-call.ts';

export { STORE_UNAVAILABLE, type StoreUnavailable } from './timed-call.ts';

/** Says that a use of the store is given up, or trusted again. */
export type SwitchListener = (state: 'on' | 'off', reason: string, use: string) => void;

/** Why a call has come to nothing; that of a connection which is not there is told by the connection. */
export type CallFailure = 'refused' | 'late';

/** How a store guard measures and whom it tells. */
export interface StoreGuardOptions {
  /** Asks the store for a sign of life, for example with PING. */
  readonly probe: () => Promise<unknown>;
  /** What the store is used for, for people. Default `limits`. */
  readonly use?: string | undefined;
  /** What one call may cost a request, in ms. Default 10. */
  readonly budgetMs?: number | undefined;
  /** Failures in a row after which the store is left alone. Default 3. */
  readonly failures?: number | undefined;
  /** Pause before the first probe, in ms; doubles up to a quarter of a second while probes fail. Default 100. */
  readonly probeAfterMs?: number | undefined;
  /** Whether there is a connection: without one nothing is asked, and nothing fails. Default: nobody knows. */
  readonly line?: { readonly isUp: boolean; onChange(listener: () => void): void } | undefined;
  /** Called once when a use is given up and once when it is trusted again. */
  readonly onSwitch?: SwitchListener | undefined;
  /** Called for each call that Redis has refused or not answered in time; not for probes. */
  readonly onFailure?: ((why: CallFailure, use: string) => void) | undefined;
}

/** What one use of the store may cost, and how soon it is given up. */
export type UseOptions = Pick<StoreGuardOptions, 'budgetMs' | 'failures'>;

const LONGEST_PROBE_PAUSE_MS = 250;

/**
 * Keeps a slow or dead store from slowing requests: a call costs at most the budget, and after a few failures
 * in a row nothing at all, until a probe in the background got an answer within the budget.
 *
 * Each use of the store has a guard of its own, by {@link StoreGuard.forUse}: what is too slow for a limit may be quick enough for
 * a session, and a Redis that is full takes no writes and reads all the same. What they share is the connection.
 */
export class StoreGuard {
  readonly use: string;
  readonly #options: StoreGuardOptions;
  readonly #budgetMs: number;
  readonly #failureLimit: number;
  /** This one and those for other uses. */
  readonly #all: Map<string, StoreGuard>;
  #failures = 0;
  /** Whether calls run, only one does, or none. */
  #state: 'on' | 'trial' | 'off' = 'on';
  #closed = false;
  #pauseMs = 0;
  #probeTimer: NodeJS.Timeout | undefined = undefined;
  /** Whether Redis has refused what is asked: that it is there means nothing then. */
  #isRefused = false;

  constructor(options: StoreGuardOptions, all = new Map<string, StoreGuard>()) {
    this.#options = options;
    this.use = options.use ?? 'limits';
    this.#budgetMs = options.budgetMs ?? 10;
    this.#failureLimit = options.failures ?? 3;
    if (all.size === 0) options.line?.onChange(() => options.line?.isUp === true && this.wake());
    this.#all = all.set(this.use, this);
  }

  /** False while the store is left alone. */
  get available(): boolean {
    return this.#state !== 'off' && this.#options.line?.isUp !== false;
  }

  /** Uses that are given up at the moment; without a connection all are, and none is listed for that. */
  get givenUp(): readonly string[] {
    return [...this.#all.values()].flatMap((guard) => (guard.#state === 'on' ? [] : [guard.use]));
  }

  /**
   * The guard for another use, which is given up and trusted by itself; the same one for the same name. Its calls may cost at
   * least as much as those of this one.
   */
  forUse(use: string, { budgetMs = 0, failures }: UseOptions = {}): StoreGuard {
    const known = this.#all.get(use);
    if (known !== undefined) return known;
    const guard = new StoreGuard(
      {
        ...this.#options,
        use,
        budgetMs: Math.max(budgetMs, this.#budgetMs),
        failures: failures ?? this.#failureLimit,
      },
      this.#all,
    );
    if (this.#closed) guard.close();
    return guard;
  }

  /**
   * Runs a call to the store. Answers synchronously, without running it, while the store is left alone.
   * Never rejects: a failure, like a late answer, is `STORE_UNAVAILABLE`.
   *
   * @param budgetMs another budget for this call.
   */
  run<T>(
    call: () => Promise<T>,
    budgetMs = this.#budgetMs,
  ): StoreUnavailable | Promise<T | StoreUnavailable> {
    if (!this.available) return STORE_UNAVAILABLE;
    // The others wait for what becomes of this one.
    if (this.#state === 'trial') this.#state = 'off';
    const answer = this.#timed(call, budgetMs, this.#heard);
    noteStoreWait(this.use, answer, STORE_UNAVAILABLE);
    return answer;
  }

  /** Looks at once whether the store can be trusted again, for all uses that are given up. */
  wake(): void {
    for (const guard of this.#all.values()) if (guard.#state === 'off') guard.#probeAfter(0);
  }

  /** Ends the probing, for all uses. Calls answer `STORE_UNAVAILABLE` from now on. */
  close(): void {
    for (const guard of this.#all.values()) {
      guard.#closed = true;
      guard.#state = 'off';
      clearTimeout(guard.#probeTimer);
    }
  }

  #timed<T>(
    call: () => Promise<T>,
    budgetMs: number,
    heard: (end: CallEnd, reason: string) => void,
  ): Promise<T | StoreUnavailable> {
    return new Promise((resolve) => {
      const timed = new TimedCall<T>(budgetMs, resolve, heard);
      call().then(timed.answered, timed.refused);
    });
  }

  readonly #heard = (end: CallEnd, reason: string): void => {
    if (end === 'answered' || end === 'wrong') return this.#succeeded(end);
    // It costs nothing, and the connection tells of itself.
    if (end === 'unsent' && this.#options.line !== undefined) return this.#again();
    this.#failures += 1;
    this.#options.onFailure?.(end === 'refused' ? end : 'late', this.use);
    this.#isRefused = end === 'refused';
    if (this.#state !== 'on') return this.#again();
    if (this.#failures < this.#failureLimit) return;
    this.#state = 'off';
    this.#options.onSwitch?.('off', reason, this.use);
    this.#probeAfter((this.#pauseMs = this.#options.probeAfterMs ?? 100));
  };

  #succeeded(end: CallEnd): void {
    // What is wrong with one call says nothing of the others, and nothing against Redis.
    if (end === 'answered') this.#failures = 0;
    const wasTrial = this.#state === 'off' && this.#probeTimer === undefined;
    if (wasTrial && !this.#closed) this.#trusted('what it had refused is taken again');
  }

  /** After a trial that came to nothing. */
  #again(): void {
    if (this.#state === 'off' && this.#probeTimer === undefined && !this.#closed) this.#probeLater();
  }

  #probeLater(): void {
    this.#probeAfter((this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PROBE_PAUSE_MS)));
  }

  #probeAfter(pauseMs: number): void {
    clearTimeout(this.#probeTimer);
    this.#probeTimer = setTimeout(() => void this.#probe(), pauseMs).unref();
  }

  async #probe(): Promise<void> {
    const answer = await this.#timed(this.#options.probe, this.#budgetMs, ignore);
    if (this.#closed || this.#state !== 'off') return;
    if (answer === STORE_UNAVAILABLE) return this.#probeLater();
    this.#probeTimer = undefined;
    // Full, or a replica, Redis answers a probe: only a call of the kind that it has refused tells.
    if (this.#isRefused) this.#state = 'trial';
    else this.#trusted('a probe was answered in time');
  }

  #trusted(reason: string): void {
    this.#state = 'on';
    this.#failures = 0;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#options.onSwitch?.('on', reason, this.use);
  }
}

function ignore(): void {}
