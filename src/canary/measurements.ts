import { Tally, type SideName } from './tally.ts';
import type { ErrorCounts } from './verdict.ts';

/** What was measured of a rollout in its step, by this process and by all that it hears of. */
export class Measurements {
  /** What all replicas have told, what is being told, and what this one has not told yet. */
  #told = new Tally();
  #telling = new Tally();
  #untold = new Tally();

  /** Counts an attempt of a side. */
  count(side: SideName, failed: boolean, durationMs: number): void {
    this.#untold[side].count(failed, durationMs);
  }

  /** Counts an attempt as failed that was counted as none; false: there is none. */
  correct(side: SideName): boolean {
    if (this.errors(side).attempts === 0) return false;
    this.#untold[side].correct();
    return true;
  }

  /** How many attempts of a side there were and how many failed; cheaper than {@link all}. */
  errors(side: SideName): ErrorCounts {
    const [a, b, c] = [this.#told[side], this.#telling[side], this.#untold[side]];
    return {
      attempts: a.attempts + b.attempts + c.attempts,
      failures: a.failures + b.failures + c.failures,
    };
  }

  /** Everything, with durations. */
  all(): Tally {
    const all = new Tally();
    all.add(this.#told);
    all.add(this.#telling);
    all.add(this.#untold);
    return all;
  }

  /** Takes out what is to be told to others; {@link told} ends that. */
  tell(): Tally {
    this.#telling = this.#untold;
    this.#untold = new Tally();
    return this.#telling;
  }

  /** Takes in what all know by now, with what was told; undefined: nobody has heard it. */
  told(all: Tally | undefined): void {
    if (all === undefined) this.#untold.add(this.#telling);
    else this.#told = all;
    this.#telling = new Tally();
  }

  /** Begins anew, for another step. */
  reset(): void {
    this.#told = new Tally();
    this.#telling = new Tally();
    this.#untold = new Tally();
  }
}
