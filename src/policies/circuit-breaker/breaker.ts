import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { BreakerOptions } from './circuit-breaker.policy.ts';

/** The state of a breaker. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** What a call that was let through turned out to be. `neutral` says nothing about the target: the client left. */
export type Outcome = 'success' | 'failure' | 'neutral';

/** Proof of admission; goes back to the breaker with the outcome of the call. */
export type Admission = 'refused' | 'ordinary' | 'probe';

const NEUTRAL = new Error('the probe said nothing');
const FAILED = new Error('the call failed');

// opossum rotates statistics buckets by a timer per breaker; the window is ours, so one silent clock serves all.
const silentClock = new EventEmitter().setMaxListeners(0);

/**
 * Refuses calls to something that keeps failing. opossum is the state machine: closed, open, its reset timer,
 * half-open with exactly one probe. Whether to open is decided here, over the last N calls, because opossum's
 * window is a span of time; that also keeps the closed path free of promises.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #circuit: CircuitBreaker<[Promise<void>], void>;
  // opossum keeps this very object and reads `resetTimeout` from it whenever it opens.
  readonly #circuitOptions: { resetTimeout: number };
  readonly #window: Uint8Array;
  #position = 0;
  #seen = 0;
  #failures = 0;
  #consecutive = 0;
  #openForMs: number;
  #openedAt = 0;
  #probe: PromiseWithResolvers<void> | undefined;

  /** @param onChange called on every transition, for logs and metrics. */
  constructor(options: BreakerOptions, onChange: (state: BreakerState) => void = () => {}) {
    this.#options = options;
    this.#window = new Uint8Array(options.window);
    this.#openForMs = options.openFor;
    const circuitOptions = {
      timeout: false as const,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: silentClock,
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      errorThresholdPercentage: 100,
      resetTimeout: options.openFor,
    };
    this.#circuitOptions = circuitOptions;
    this.#circuit = new CircuitBreaker(
      (call: Promise<void>) => call,
      circuitOptions as CircuitBreaker.Options,
    );
    this.#circuit.on('open', () => {
      this.#openedAt = performance.now();
      onChange('open');
    });
    this.#circuit.on('halfOpen', () => onChange('half-open'));
    this.#circuit.on('close', () => {
      this.#forget();
      onChange('closed');
    });
  }

  get state(): BreakerState {
    if (this.#circuit.closed) return 'closed';
    return this.#circuit.opened ? 'open' : 'half-open';
  }

  /** Whether a call would be let through now. */
  get available(): boolean {
    return this.#circuit.closed || this.#circuit.pendingClose;
  }

  /** Time until a probe is let through, in ms; 0 when the breaker is not open. */
  get openForMs(): number {
    return this.#circuit.opened ? Math.max(0, this.#openedAt + this.#openForMs - performance.now()) : 0;
  }

  /** Asks to make a call. Whoever is not refused reports the outcome with {@link settle}. */
  admit(): Admission {
    if (this.#circuit.closed) return 'ordinary';
    if (!this.#circuit.pendingClose) return 'refused';
    this.#probe = Promise.withResolvers<void>();
    // The rejection has been dealt with by opossum; the caller learns the outcome from its own call.
    this.#circuit.fire(this.#probe.promise).catch(() => {});
    return 'probe';
  }

  /** Reports how an admitted call ended. */
  settle(admission: Admission, outcome: Outcome): void {
    if (admission === 'probe') this.#settleProbe(outcome);
    else if (outcome !== 'neutral' && this.#circuit.closed) this.#record(outcome === 'failure' ? 1 : 0);
  }

  /** Ends the breaker and its timer. */
  shutdown(): void {
    this.#circuit.shutdown();
  }

  #settleProbe(outcome: Outcome): void {
    if (outcome === 'success') return this.#probe?.resolve();
    if (outcome === 'failure') this.#openForMs = Math.min(this.#openForMs * 2, this.#options.maxOpenFor);
    // A probe whose client left proves nothing: the breaker opens again, but no longer than before.
    this.#circuitOptions.resetTimeout = this.#openForMs;
    this.#probe?.reject(outcome === 'failure' ? FAILED : NEUTRAL);
  }

  #record(failure: 0 | 1): void {
    this.#failures += failure - (this.#window[this.#position] ?? 0);
    this.#window[this.#position] = failure;
    this.#position = (this.#position + 1) % this.#window.length;
    if (this.#seen < this.#window.length) this.#seen += 1;
    this.#consecutive = failure === 1 ? this.#consecutive + 1 : 0;
    if (failure === 1 && this.#shouldOpen()) {
      this.#circuitOptions.resetTimeout = this.#openForMs;
      this.#circuit.open();
    }
  }

  #shouldOpen(): boolean {
    if (this.#consecutive >= this.#options.consecutiveFailures) return true;
    return this.#seen >= this.#window.length && this.#failures / this.#seen >= this.#options.errorRate;
  }

  #forget(): void {
    this.#window.fill(0);
    this.#position = this.#seen = this.#failures = this.#consecutive = 0;
    this.#openForMs = this.#options.openFor;
  }
}
