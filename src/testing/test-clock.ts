import { FakeClock } from '../simulate/fake-clock.ts';
import { TestingError } from './testing-error.ts';
import { millisecondsOf, type Span } from './time.ts';

const place: { taken: boolean } = { taken: false };

/**
 * The time of a test, in place of the process's own: it stands still, moves on when the test says so, and jumps to the next timer
 * where all that could happen waits for one. `Date`, `performance.now` and the global timers go by it; sockets do not. What the
 * clients of the kit wait for is driven; anything else of a test that needs timers is handed to {@link drive}.
 */
export class TestClock {
  readonly #clock: FakeClock;
  #isRestored = false;

  /**
   * Takes the place of the clocks of the process.
   *
   * @param at what time it is. Default the real time.
   * @throws {TestingError} when another test clock has it: there is one time in a process.
   */
  constructor(at: Date | string = new Date()) {
    const atMs = new Date(at).getTime();
    if (Number.isNaN(atMs))
      throw new TestingError(`expected a time such as 2026-01-01T00:00:00Z for the clock, given ${String(at)}`);
    if (place.taken)
      throw new TestingError('another gateway of this process has a clock already; stop it first, or start this one without');
    place.taken = true;
    this.#clock = new FakeClock(atMs);
  } // prettier-ignore

  /** What time it is. */
  get now(): Date {
    return new Date(this.#clock.nowMs);
  }

  /** Who keeps others waiting on purpose: then time moves on sooner. */
  set isWaitingOnPurpose(isWaiting: () => boolean) {
    this.#clock.isWaitingOnPurpose = isWaiting;
  }

  /** Lets time pass, such as `30s`, and what is due in it happen, in its order. */
  advance(span: Span): Promise<void> {
    return this.#clock.advance(millisecondsOf(span));
  }

  /** Waits for something, and moves time on to the next timer wherever nothing else can happen. */
  drive<Result>(work: Promise<Result>): Promise<Result> {
    return this.#isRestored ? work : this.#clock.drive(work);
  }

  /** Gives the process its own clocks back; safe to call twice. */
  restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    place.taken = false;
    this.#clock.restore();
  }
}
