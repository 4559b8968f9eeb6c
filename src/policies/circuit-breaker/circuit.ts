import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';

/** The state of a breaker. */
export type BreakerState = 'closed' | 'open' | 'half-open';

// opossum rotates statistics buckets by a timer per breaker; the window is ours, so one silent clock serves all.
const silentClock = new EventEmitter().setMaxListeners(0);

/**
 * The state machine: closed, open, half-open after a while. It is opossum's, which is told when to open and to close and is
 * never given a call to make: it would let late results of earlier calls move a half-open one, and a probe that never ends
 * would keep it half-open for good.
 */
export class Circuit {
  readonly #opossum: CircuitBreaker;
  // opossum keeps this very object and reads `resetTimeout` from it whenever it opens.
  readonly #options: { resetTimeout: number };
  readonly #onChange: (state: BreakerState) => void;
  #isSilent = false;

  /** @param onChange hears of every transition. */
  constructor(onChange: (state: BreakerState) => void) {
    this.#onChange = onChange;
    const options = {
      timeout: false as const,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: silentClock,
      resetTimeout: 0,
    };
    this.#options = options;
    this.#opossum = new CircuitBreaker(() => Promise.resolve(), options as CircuitBreaker.Options);
    this.#opossum.on('open', () => this.#changed('open'));
    this.#opossum.on('halfOpen', () => this.#changed('half-open'));
    this.#opossum.on('close', () => this.#changed('closed'));
  }

  get state(): BreakerState {
    if (this.#opossum.closed) return 'closed';
    return this.#opossum.opened ? 'open' : 'half-open';
  }

  /** Opens it, for that long from now, whatever it was. */
  open(forMs: number): void {
    this.#options.resetTimeout = forMs;
    // One that is open has a timer already.
    if (this.#opossum.opened) this.#closeSilently();
    this.#opossum.open();
  }

  /** Closes it, whatever it was. */
  close(): void {
    this.#opossum.close();
  }

  /** Ends it and its timer. */
  shutdown(): void {
    this.#opossum.shutdown();
  }

  #closeSilently(): void {
    this.#isSilent = true;
    this.#opossum.close();
    this.#isSilent = false;
  }

  #changed(state: BreakerState): void {
    if (!this.#isSilent) this.#onChange(state);
  }
}
