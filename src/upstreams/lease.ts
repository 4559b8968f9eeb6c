import type { Admission, Outcome } from '../policies/circuit-breaker/breaker.ts';
import type { PeakEwma } from './balancing/peak-ewma.ts';
import type { Target } from './target.ts';

/** When a call began whose duration is nobody's matter. */
const NOT_TIMED = -1;
/**
 * An answer that has streamed for so long without an end is good enough for who cannot wait for that, in ms: streams of
 * events last for hours.
 */
export const STEADY_MS = 1000;

/** Hears what becomes of calls, each one once, besides the target. */
export interface LeaseWatch {
  /** @param durationMs until a good answer began, else until the end. */
  settled(outcome: Outcome, durationMs: number): void;
  /** Hears that what it took for a success is a failure: an answer broke off that had streamed for long. */
  broke(): void;
}

/** The right to make one call to one target; must be released exactly once. */
export class Lease {
  readonly target: Target;
  readonly #admission: Admission;
  /** On the clock of `performance.now()`; {@link NOT_TIMED} where nobody wants to know. */
  readonly #startedAt: number;
  #firstByteAt = 0;
  #isOpen = false;
  /** Whether an answer that streams on was taken for a good one by who cannot wait. */
  #isSteady = false;
  #settled = false;
  #released = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  #watch: LeaseWatch | undefined = undefined;
  #watchedAt = 0;
  /** Since when the adaptive limit of the target counts it; {@link NOT_TIMED} when it does not, or not any more. */
  #countedAt = NOT_TIMED;
  #isSample = true;
  #openedAt = 0;

  constructor(target: Target) {
    this.target = target;
    this.#admission = target.breaker?.admit() ?? 0;
    const isTimed =
      target.health.isTimed === true || target.latency !== undefined || target.adaptive !== undefined;
    this.#startedAt = isTimed ? performance.now() : NOT_TIMED;
    target.inFlight += 1;
    target.calls.count += 1;
    if (target.adaptive !== undefined) this.awaits();
  }

  /**
   * Takes note that nothing keeps the target from answering: the adaptive limit counts the call until its first byte. It does so
   * from the beginning, unless the call {@link streams} in.
   */
  awaits(): void {
    const { adaptive } = this.target;
    if (adaptive === undefined || this.#countedAt !== NOT_TIMED || this.#isOpen || this.#settled) return;
    this.#countedAt = performance.now();
    adaptive.began();
  }

  /** Takes note that the answer may have to wait for others than the target: the adaptive limit does not count it. */
  streams(): void {
    if (this.#countedAt === NOT_TIMED) return;
    this.#countedAt = NOT_TIMED;
    this.target.adaptive?.left();
    this.target.calls.wake();
  }

  /** Has the adaptive limit count it without learning from it: it is the second of two. */
  unsampled(): void {
    this.#isSample = false;
  }

  /** Has somebody hear what becomes of the call. */
  watchedBy(watch: LeaseWatch): void {
    this.#watch = watch;
    this.#watchedAt = performance.now();
  }

  /** Whether a good answer has begun. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes note that the first byte of the answer is here, unless {@link settle} is called at that moment anyway. */
  begun(): void {
    if (this.#startedAt !== NOT_TIMED) this.#firstByteAt = performance.now();
  }

  /**
   * Takes note that a good answer has begun. What the call amounts to is known when the answer has ended; only a probe of a
   * breaker, for which everybody else waits, and who watches a canary take one that goes on for {@link STEADY_MS} for a good
   * one, and hear if it breaks off after all.
   */
  opened(): void {
    if (this.#settled || this.#isOpen) return;
    this.#isOpen = true;
    if (this.#firstByteAt === 0) this.begun();
    if (this.#countedAt !== NOT_TIMED) this.#answered('success');
    if (this.target.latency !== undefined) this.#time(this.target.latency, 'success');
    if (this.#watch !== undefined) this.#openedAt = performance.now();
    if (this.#admission < 0 || this.#watch !== undefined)
      this.#timer = setTimeout(takeForGood, STEADY_MS, this).unref();
  }

  /** Has a probe say nothing about the target, which has said nothing for too long; other calls may still. */
  unheard(): void {
    if (this.#admission < 0) this.settle('neutral');
  }

  /** Tells breaker, ejection and canary what the call amounts to: once, so that later calls do nothing. */
  settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    // Who leaves a good answer says nothing against it.
    const ended = this.#isOpen && outcome === 'neutral' ? 'success' : outcome;
    if (this.#countedAt !== NOT_TIMED) this.#answered(ended);
    const { breaker, latency } = this.target;
    if (!this.#isSteady || this.#admission > 0) breaker?.settle(this.#admission, ended, this.#firstByteMs());
    else if (ended === 'failure') breaker?.broke(this.#admission);
    if (latency !== undefined && !(this.#isOpen && ended === 'success')) this.#time(latency, ended);
    if (!this.#isSteady) this.#watch?.settled(ended, (this.#openedAt || performance.now()) - this.#watchedAt);
    else if (ended === 'failure') this.#watch?.broke();
  }

  /** Hears that the answer streams on. */
  takeForGood(): void {
    this.#isSteady = true;
    if (this.#admission < 0) this.target.breaker?.settle(this.#admission, 'success', this.#firstByteMs());
    this.#watch?.settled('success', this.#openedAt - this.#watchedAt);
  }

  /** Gives the right back with what became of the call, unless that is settled; later calls do nothing. */
  release(outcome: Outcome): void {
    if (this.#released) return;
    this.#released = true;
    this.target.inFlight -= 1;
    this.target.calls.count -= 1;
    this.settle(outcome);
    this.target.calls.wake();
    if (this.target.isLeaving && this.target.inFlight === 0) this.target.emptied();
  }

  #answered(outcome: Outcome): void {
    const now = performance.now();
    const until = this.#firstByteAt === 0 ? now : this.#firstByteAt;
    if (this.#isSample) this.target.adaptive?.ended(outcome, Math.max(0, until - this.#countedAt), now);
    else this.target.adaptive?.left();
    this.#countedAt = NOT_TIMED;
    this.target.calls.wake();
  }

  /** Until the head of an answer that streams, else until its end. */
  #time(latency: PeakEwma, outcome: Outcome): void {
    // It was not followed when the call began.
    if (this.#startedAt === NOT_TIMED) return;
    const now = performance.now();
    const durationMs = this.#isOpen ? this.#firstByteMs() : now - this.#startedAt;
    if (outcome === 'success') latency.answered(durationMs, now);
    else if (outcome === 'failure') latency.failed(durationMs, now);
    else latency.abandoned(durationMs, now);
  }

  #firstByteMs(): number {
    return this.#startedAt === NOT_TIMED ? 0 : (this.#firstByteAt || performance.now()) - this.#startedAt;
  }
}

function takeForGood(lease: Lease): void {
  lease.takeForGood();
}
