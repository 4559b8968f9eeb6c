import type { BreakerOptions } from './circuit-breaker.policy.ts';
import { Circuit, type BreakerState } from './circuit.ts';
import { FailureWindow } from './failure-window.ts';

export type { BreakerState };

/** What a call that was let through turned out to be. `neutral` says nothing about the target: the client left. */
export type Outcome = 'success' | 'failure' | 'neutral';

/** Why a breaker opened: by its own window, because the target was ejected, or by hand. */
export type OpenCause = 'failures' | 'ejected' | 'manual';

/** One transition of a breaker. */
export interface BreakerChange {
  readonly state: BreakerState;
  /** When, on the clock of `Date.now()`: for people, and never calculated with. */
  readonly at: number;
  readonly cause: OpenCause;
  /** What it stays open for, in ms; of one that opened. */
  readonly openForMs?: number;
}

/**
 * Proof of admission; goes back to the breaker with the outcome of the call. 0: refused. Else the generation of the breaker
 * in which the call began, negative for a probe: a number, so that admitting a call allocates nothing.
 */
export type Admission = number;

/** The admission of a call that may not be made. */
export const REFUSED: Admission = 0;

/** Who takes part in what a breaker does. */
export interface BreakerHooks {
  /** Hears of every transition. */
  readonly onChange?: (change: BreakerChange) => void;
  /** Hears of every call that counts, as long as the breaker is closed. `firstByteMs` is 0 unless somebody times calls. */
  readonly onOutcome?: (isFailure: boolean, firstByteMs: number) => void;
  /** For how long it opens again after the probe of what was ejected has failed, in ms. */
  readonly ejectAgainMs?: () => number;
}

const HISTORY = 20;
const NO_HOOKS: BreakerHooks = Object.freeze({});

/**
 * Refuses calls to something that keeps failing: by its own count of the last N calls, while it is ejected, or by hand. It
 * is the one state machine of a target, so that those three cannot fight: what is open is not opened again, and only one
 * call is let through after each.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #hooks: BreakerHooks;
  readonly #circuit: Circuit;
  readonly #window: FailureWindow;
  readonly #history: BreakerChange[] = [];
  /** Counts transitions: what a call reports that began before the last one is no news. */
  #generation = 1;
  #state: BreakerState = 'closed';
  #cause: OpenCause = 'failures';
  /** What it opens for by its own count: doubles while probes fail. */
  #failedForMs: number;
  #openForMs = 0;
  #openedAt = 0;
  #suspectUntil = 0;
  #isProbing = false;
  #probeTimer: NodeJS.Timeout | undefined = undefined;

  constructor(options: BreakerOptions, hooks: BreakerHooks = NO_HOOKS) {
    this.#options = options;
    this.#hooks = hooks;
    this.#window = new FailureWindow(options);
    this.#failedForMs = options.openFor;
    this.#circuit = new Circuit((state) => this.#changed(state));
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether a call would be let through now. */
  get available(): boolean {
    return this.#state === 'closed' || (this.#state === 'half-open' && !this.#isProbing);
  }

  /** Why it opened last. */
  get cause(): OpenCause {
    return this.#cause;
  }

  /** Counts its transitions. */
  get generation(): number {
    return this.#generation;
  }

  /** Its last transitions, the latest one last. */
  get history(): readonly BreakerChange[] {
    return this.#history;
  }

  /** Whether the next failure opens it, because it has opened for somebody else. */
  get isSuspect(): boolean {
    return this.#suspectUntil > performance.now();
  }

  /** Above which time to the first byte a call has failed, in ms; `Infinity` for none. */
  get slowMs(): number {
    return this.#options.slowCalls ?? Infinity;
  }

  /** Time until a probe is let through, in ms; 0 when the breaker is not open. */
  get openForMs(): number {
    if (this.#state !== 'open') return 0;
    return Math.max(0, this.#openedAt + this.#openForMs - performance.now());
  }

  /** Asks to make a call. Whoever is not refused reports the outcome with {@link settle}. */
  admit(): Admission {
    if (this.#state === 'closed') return this.#generation;
    if (this.#state === 'open' || this.#isProbing) return REFUSED;
    this.#isProbing = true;
    this.#probeTimer = setTimeout(() => this.#probeIsLost(), this.#options.probeTimeout).unref();
    return -this.#generation;
  }

  /**
   * Reports how an admitted call ended; ignored when the breaker has moved since it began.
   *
   * @param firstByteMs what it waited for the first byte of its answer.
   */
  settle(admission: Admission, outcome: Outcome, firstByteMs = 0): void {
    const ended = outcome === 'success' && firstByteMs > this.slowMs ? 'failure' : outcome;
    if (admission === -this.#generation) return this.#settleProbe(ended);
    if (admission !== this.#generation || ended === 'neutral' || this.#state !== 'closed') return;
    this.#record(ended === 'failure', firstByteMs);
  }

  /** Reports that the answer to a probe broke off after all, long after it was taken for a good one: a failure since then. */
  broke(probe: Admission): void {
    if (1 - probe === this.#generation && this.#state === 'closed') this.#record(true, 0);
  }

  /** Opens it, whatever its own count says. After that time one call is let through. */
  trip(cause: 'ejected' | 'manual', forMs: number): void {
    this.#open(cause, forMs);
  }

  /** Closes it by hand, with a clean record. */
  close(): void {
    this.#cause = 'manual';
    this.#forget();
    this.#circuit.close();
  }

  /** For that long the next failure opens it, in ms; 0 takes that back. It never opens by this alone. */
  suspect(forMs: number): void {
    this.#suspectUntil = forMs === 0 ? 0 : performance.now() + Math.min(forMs, this.#options.maxOpenFor);
  }

  /** Ends the breaker and its timers. */
  shutdown(): void {
    clearTimeout(this.#probeTimer);
    this.#circuit.shutdown();
  }

  #record(isFailure: boolean, firstByteMs: number): void {
    const isTooMuch = this.#window.record(isFailure ? 1 : 0);
    if (isTooMuch || (isFailure && this.#suspectUntil !== 0 && this.isSuspect))
      return this.#open('failures', this.#failedForMs);
    this.#hooks.onOutcome?.(isFailure, firstByteMs);
  }

  #settleProbe(outcome: Outcome): void {
    if (outcome === 'success') return this.#circuit.close();
    // A probe whose client left proves nothing: the breaker opens again, but no longer than before.
    if (outcome === 'neutral') return this.#open(this.#cause, this.#openForMs);
    const again = this.#cause === 'ejected' ? this.#hooks.ejectAgainMs?.() : undefined;
    if (again !== undefined) return this.#open('ejected', again);
    // What was opened by hand has failed by itself now.
    if (this.#cause === 'failures')
      this.#failedForMs = Math.min(this.#failedForMs * 2, this.#options.maxOpenFor);
    this.#open('failures', this.#failedForMs);
  }

  // Fails open: without it a call that never ends would keep everybody else from a target that may be well.
  #probeIsLost(): void {
    this.#open(this.#cause, this.#openForMs);
  }

  #open(cause: OpenCause, forMs: number): void {
    this.#cause = cause;
    this.#openForMs = forMs;
    this.#openedAt = performance.now();
    this.#circuit.open(forMs);
  }

  #changed(state: BreakerState): void {
    this.#state = state;
    this.#generation += 1;
    this.#isProbing = false;
    clearTimeout(this.#probeTimer);
    if (state === 'closed') this.#forget();
    const openFor = state === 'open' ? { openForMs: this.#openForMs } : undefined;
    const change: BreakerChange = { state, at: Date.now(), cause: this.#cause, ...openFor };
    if (this.#history.push(change) > HISTORY) this.#history.shift();
    this.#hooks.onChange?.(change);
  }

  #forget(): void {
    this.#window.clear();
    this.#failedForMs = this.#options.openFor;
    this.#suspectUntil = 0;
  }
}
