/** How fast what was seen is forgotten: after this time 37 % of it is left. */
export const DECAY_MS = 10_000;
/** What a target takes that nobody has called yet: not nothing, else the newest would get everything. */
const UNKNOWN_MS = 30;
/** What a fault counts as, if it came sooner: who refuses at once would look like who serves at once. */
const FAULT_MS = 1000;
/** Nobody is taken for faster: a target that nothing was seen of for long would take whatever comes until its first answer. */
const LEAST_MS = 1;

/** A target that nothing was seen of for so long is tried again, whatever it took before: a fault would count for a minute. */
const TRIED_AFTER_MS = 10_000;

/**
 * How long a target takes for an answer: an average whose past fades, and that follows a rise at once (peak EWMA). It
 * fades while nothing is seen as well, so that a target that was slow is tried again.
 */
export class PeakEwma {
  #cost = 0;
  #at = 0;
  #isKnown = false;

  /** What a call costs at a time, in ms. */
  costAt(now: number): number {
    if (!this.#isKnown) return UNKNOWN_MS;
    return now - this.#at > TRIED_AFTER_MS ? LEAST_MS : Math.max(LEAST_MS, this.#faded(now));
  }

  /** An answer has come after some time. */
  answered(durationMs: number, now: number): void {
    const kept = this.#isKnown ? Math.exp((this.#at - now) / DECAY_MS) : 0;
    const average = this.#cost * kept + durationMs * (1 - kept);
    this.#become(durationMs > this.#cost ? durationMs : average, now);
  }

  /** A call has failed after some time. */
  failed(durationMs: number, now: number): void {
    this.answered(Math.max(durationMs, FAULT_MS), now);
  }

  /** A call was given up after some time: it would have taken that long at least. */
  abandoned(durationMs: number, now: number): void {
    if (durationMs > this.costAt(now)) this.#become(durationMs, now);
  }

  #faded(now: number): number {
    return this.#cost * Math.exp((this.#at - now) / DECAY_MS);
  }

  #become(cost: number, now: number): void {
    this.#cost = cost;
    this.#at = now;
    this.#isKnown = true;
  }
}
