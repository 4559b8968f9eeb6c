/** The timers of the process, as they were before anybody took their place. */
export const realTimers = {
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  clearTimeout: globalThis.clearTimeout,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
};

type Callback = (...args: readonly unknown[]) => unknown;

/** Timers that fire when they are told to. */
export class FakeTimers {
  /** How much time has passed, in ms. */
  elapsedMs = 0;
  /** Grows whenever something happens: a timer is set, or somebody asks for the time. */
  stirred = 0;
  readonly #pending = new Set<FakeTimer>();
  readonly #byId = new Map<number, FakeTimer>();
  #lastId = 0;

  /** Takes the place of the global timers. */
  install(): void {
    const set =
      (isInterval: boolean) =>
      (callback: Callback, ms = 0, ...args: readonly unknown[]): FakeTimer =>
        this.#add(new FakeTimer(this, { callback, args, ms: Math.max(1, Number(ms) || 1), isInterval }));
    const clear = (timer: unknown): void => this.#clear(timer);
    Object.assign(globalThis, {
      setTimeout: set(false),
      setInterval: set(true),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }

  /** Gives them back. */
  restore(): void {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = realTimers;
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
    this.#pending.clear();
    this.#byId.clear();
  }

  /** Notes that something happens; the value as it is. */
  stir<Value>(value: Value): Value {
    this.stirred += 1;
    return value;
  }

  /** Moves time on to the next timer and fires it; undefined where none is due until then. */
  fireNext(untilMs: number): 'once' | 'interval' | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#pending) if (next === undefined || timer.dueAt < next.dueAt) next = timer;
    if (next === undefined || next.dueAt > untilMs) return undefined;
    this.elapsedMs = Math.max(this.elapsedMs, next.dueAt);
    const { isInterval } = next;
    // Behind those that are due at the same time.
    if (isInterval) this.rearm(next);
    else this.remove(next);
    next.fire();
    return isInterval ? 'interval' : 'once';
  }

  /** Has a timer begin anew. */
  rearm(timer: FakeTimer): void {
    this.#pending.delete(timer);
    timer.dueAt = this.elapsedMs + timer.ms;
    this.#pending.add(timer);
    this.stirred += 1;
  }

  /** Takes a timer out. */
  remove(timer: FakeTimer): void {
    this.#pending.delete(timer);
    if (timer.id !== undefined) this.#byId.delete(timer.id);
    this.stirred += 1;
  }

  /** A number for a timer, for those who keep numbers. */
  idOf(timer: FakeTimer): number {
    timer.id ??= this.#lastId += 1;
    this.#byId.set(timer.id, timer);
    return timer.id;
  }

  #add(timer: FakeTimer): FakeTimer {
    this.rearm(timer);
    return timer;
  }

  #clear(given: unknown): void {
    if (given instanceof FakeTimer) return this.remove(given);
    const known = this.#byId.get(Number(given));
    if (known !== undefined) this.remove(known);
    // One that was set before time stood still.
    else realTimers.clearTimeout(given as NodeJS.Timeout);
  }
}

interface FakeTimerOptions {
  readonly callback: Callback;
  readonly args: readonly unknown[];
  readonly ms: number;
  readonly isInterval: boolean;
}

/** What Node's timers can do. */
class FakeTimer {
  dueAt = 0;
  id: number | undefined = undefined;
  readonly ms: number;
  readonly isInterval: boolean;
  readonly #timers: FakeTimers;
  readonly #options: FakeTimerOptions;
  #isRef = true;

  constructor(timers: FakeTimers, options: FakeTimerOptions) {
    this.#timers = timers;
    this.#options = options;
    this.ms = options.ms;
    this.isInterval = options.isInterval;
  }

  fire(): void {
    this.#options.callback(...this.#options.args);
  }

  ref(): this {
    this.#isRef = true;
    return this;
  }

  unref(): this {
    this.#isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  refresh(): this {
    this.#timers.rearm(this);
    return this;
  }

  close(): this {
    this.#timers.remove(this);
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.#timers.idOf(this);
  }

  [Symbol.dispose](): void {
    this.#timers.remove(this);
  }
}
