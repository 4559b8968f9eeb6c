import { FakeTimers, realTimers } from './fake-timers.ts';

/** What nobody may wait for, in ms of the time of the test: where nothing ever answers, nothing would end. */
const LONGEST_WAIT_MS = 24 * 3_600_000;
/**
 * How often the process is looked at, and nothing has happened, until time moves on: where an upstream is slow on purpose, and
 * else. Counted and not measured: a busy machine looks less often.
 */
const LOOKS = { onPurpose: 16, else: 160 };
/** The first looks do not wait: all that comes over sockets comes in one turn of the event loop. */
const QUICK_LOOKS = 8;
/** Most timers that are fired on the way; what is due besides happens at the end. */
const MOST_FIRED = 20_000;

/**
 * The time of a test. It stands still but for {@link advance}, and where all wait for a timer: then it jumps to the next one.
 * `Date`, `performance.now` and the global timers of the process go by it; sockets do not, for what they wait for comes. Only a
 * process that does nothing else may have one.
 */
export class FakeClock {
  readonly timers: FakeTimers;
  /** Whether somebody keeps others waiting on purpose. */
  isWaitingOnPurpose: () => boolean = () => false;
  readonly #real = { Date, now: performance.now.bind(performance) };
  readonly #beganAtMs: number;
  readonly #beganPerformanceMs: number;

  /** Takes the place of the clocks of the process. @param atMs what time it is, since the epoch. */
  constructor(atMs: number) {
    this.#beganAtMs = atMs;
    this.#beganPerformanceMs = this.#real.now();
    this.timers = new FakeTimers();
    const { timers } = this;
    const wall = (): number => timers.stir(this.nowMs);
    globalThis.Date = class extends this.#real.Date {
      constructor(...given: readonly unknown[]) {
        super(...((given.length === 0 ? [wall()] : given) as [number]));
      }

      static override now(): number {
        return wall();
      }
    } as DateConstructor;
    Object.defineProperty(performance, 'now', {
      configurable: true,
      writable: true,
      value: () => timers.stir(this.#beganPerformanceMs + timers.elapsedMs),
    });
    timers.install();
  }

  /** What time it is, in ms since the epoch. */
  get nowMs(): number {
    return this.#beganAtMs + this.timers.elapsedMs;
  }

  /** Gives the process its own clocks back. */
  restore(): void {
    globalThis.Date = this.#real.Date;
    Reflect.deleteProperty(performance, 'now');
    this.timers.restore();
  }

  /** Lets time pass, and what is due in it happen, in its order. */
  async advance(ms: number): Promise<void> {
    const until = this.timers.elapsedMs + ms;
    for (let fired = 0; fired < MOST_FIRED && this.timers.fireNext(until) !== undefined; fired += 1)
      await turns(2);
    this.timers.elapsedMs = until;
    await this.settle();
  }

  /** Waits until nothing happens any more. */
  async settle(): Promise<void> {
    await this.#quiet(() => false, LOOKS.onPurpose);
  }

  /**
   * Waits for something, and moves on to the next timer whenever nothing else can happen.
   *
   * @throws {Error} when it has not come after a day of the time of the test.
   */
  async drive<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    const done = (): void => void (isDone = true);
    work.then(done, done);
    const until = this.timers.elapsedMs + LONGEST_WAIT_MS;
    while (!isDone) {
      const looks = this.isWaitingOnPurpose() ? LOOKS.onPurpose : LOOKS.else;
      if (!(await this.#quiet(() => isDone, looks))) continue;
      let fired = this.timers.fireNext(until);
      // What happens again and again is upkeep, which nobody waits for.
      while (fired === 'interval') {
        await turns(2);
        fired = isDone ? undefined : this.timers.fireNext(until);
      }
      if (fired === undefined && !isDone) throw new Error('nothing has come of it for a day');
    }
    return work;
  }

  /** Whether nothing has happened for so many looks; false as soon as it is done. */
  async #quiet(isDone: () => boolean, looks: number): Promise<boolean> {
    let seen = this.timers.stirred;
    for (let look = 0; look < looks; look += 1) {
      await (look < QUICK_LOOKS ? turns(1) : pause());
      if (isDone()) return false;
      if (seen === this.timers.stirred) continue;
      seen = this.timers.stirred;
      look = -1;
    }
    return true;
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((go) => realTimers.setImmediate(go));
}

function pause(): Promise<void> {
  return new Promise((go) => realTimers.setTimeout(go, 1));
}
