import type { Outcome } from '../../policies/circuit-breaker/breaker.ts';

/** The bounds of an adaptive limit, and how much slower answers may become. */
export interface AdaptiveLimits {
  /** What it starts from. */
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** How many times the usual latency is still no sign of a queue. */
  readonly tolerance: number;
}

/** The limit is worked out anew once a window is this long, in ms, and has this many samples. */
const WINDOW_MS = 1000;
const ENOUGH = 10;
/** Until then the usual latency is the mean of all windows, and after that an average over so many of them. */
const WARM_UP_WINDOWS = 10;
const LONG_WINDOWS = 600;
const LONG_SHARE = 2 / (LONG_WINDOWS + 1);
/** What is usual has become much too long: it comes down by so much in each window. */
const MUCH_TOO_LONG = 2;
const DECAY = 0.95;
/** No window makes it smaller than this part. */
const STEEPEST = 0.5;
/** How much of what a window says is believed. */
const SMOOTHING = 0.2;
/** Calls that may wait at a target besides those that it works on; more where its limit is large. */
const QUEUE = 4;
/** After so many windows at the limit the usual latency is measured again, with half as many calls. */
const PROBE_EVERY = 10;
/** And after so many times the latency: what is measured takes as long as a few calls. */
const PROBE_PAUSE = 20;
/** What a measurement says that is longer than what is usual may be the calls of others: so much of it is believed. */
const PROBE_UP = 0.25;
const PROBE_FROM = 2;

/**
 * How many calls a target may have that wait for the first byte of their answers, by how long that takes (the gradient of
 * Netflix' concurrency-limits, second form): as many as it answers about as fast as usual, and a few more, so that a queue would
 * show. While it is at the limit all the time, what is usual cannot be learned from its answers, which are slow for the
 * queue: it is measured now and then, for ten calls, with half as many under way. Knows nothing of other replicas.
 */
export class AdaptiveLimit {
  readonly #limits: AdaptiveLimits;
  #limit: number;
  #waiting = 0;
  /** The most that waited in this window. */
  #most = 0;
  /** The usual latency, in ms; 0 before the first window has ended. */
  #usualMs = 0;
  #windows = 0;
  /** Windows at the limit since the last measurement, and since when. */
  #pressed = 0;
  #pressedSince = 0;
  /** When the measurement began; undefined when there is none. */
  #probingSince: number | undefined = undefined;
  #windowAt = -1;
  #sumMs = 0;
  #count = 0;

  constructor(limits: AdaptiveLimits) {
    this.#limits = limits;
    this.#limit = Math.min(limits.max, Math.max(limits.min, limits.initial));
  }

  /** How many calls may wait for an answer now. */
  get value(): number {
    if (this.#probingSince === undefined) return Math.floor(this.#limit);
    return Math.max(PROBE_FROM, Math.floor((this.#limit - QUEUE) / 2));
  }

  /** How many calls wait for an answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether no more may. */
  get isFull(): boolean {
    return this.#waiting >= this.value;
  }

  /** The latency that is usual, in ms; 0 when nothing is known. */
  get usualMs(): number {
    return this.#usualMs;
  }

  /** Counts a call in. */
  began(): void {
    this.#waiting += 1;
    if (this.#waiting > this.#most) this.#most = this.#waiting;
  }

  /** Counts a call out that says nothing: a stream, or the second of two. */
  left(): void {
    this.#waiting -= 1;
  }

  /**
   * Counts a call out.
   *
   * @param ms how long it has waited for its first byte. One that failed or was given up tells that it would have
   * taken longer; less than what is usual says nothing, for a refusal may be quick.
   * @param now on the clock that windows go by, in ms.
   */
  ended(outcome: Outcome, ms: number, now: number): void {
    this.#waiting -= 1;
    if (outcome !== 'success' && ms <= this.#usualMs) return;
    // What began before a measurement waits in the queue that is to be gone.
    if (this.#probingSince !== undefined && now - ms < this.#probingSince) return;
    if (this.#windowAt < 0) this.#windowAt = now - ms;
    this.#sumMs += ms;
    this.#count += 1;
    if (this.#count < ENOUGH) return;
    if (this.#probingSince !== undefined) this.#measured(now);
    else if (now - this.#windowAt >= WINDOW_MS) this.#update(now);
  }

  #update(now: number): void {
    const latency = this.#sumMs / this.#count;
    const isPressed = this.#most >= this.value;
    const isIdle = this.#most < this.value / 2;
    this.#learn(latency, isPressed);
    this.#restart(now);
    // What is not used says nothing about whether more would be too much.
    if (isIdle) return;
    this.#adjust(latency);
    if (!isPressed || this.#pressed === 0) this.#pressedSince = now;
    this.#pressed = isPressed ? this.#pressed + 1 : 0;
    if (this.#pressed < PROBE_EVERY || now - this.#pressedSince < PROBE_PAUSE * latency) return;
    this.#probingSince = now;
  }

  #adjust(latency: number): void {
    const { min, max, tolerance } = this.#limits;
    const gradient = Math.min(1, Math.max(STEEPEST, (tolerance * this.#usualMs) / latency));
    const queue = Math.max(QUEUE, Math.sqrt(this.#limit));
    const wanted = this.#limit * gradient + queue;
    this.#limit = Math.min(max, Math.max(min, this.#limit * (1 - SMOOTHING) + wanted * SMOOTHING));
  }

  #learn(latency: number, isPressed: boolean): void {
    this.#windows += 1;
    if (this.#windows <= WARM_UP_WINDOWS) this.#usualMs += (latency - this.#usualMs) / this.#windows;
    // At the limit answers wait for each other: that is not to become usual.
    else if (!isPressed || latency < this.#usualMs) this.#usualMs += (latency - this.#usualMs) * LONG_SHARE;
    if (this.#usualMs > latency * MUCH_TOO_LONG) this.#usualMs *= DECAY;
  }

  #measured(now: number): void {
    const latency = this.#sumMs / this.#count;
    const isLess = latency < this.#usualMs;
    this.#usualMs += (latency - this.#usualMs) * (isLess ? 1 : PROBE_UP);
    this.#probingSince = undefined;
    this.#pressed = 0;
    this.#restart(now);
  }

  #restart(now: number): void {
    this.#windowAt = now;
    this.#sumMs = this.#count = 0;
    this.#most = this.#waiting;
  }
}
