/** One who waits: whose line it stands in, and until when. */
interface Place {
  readonly caller: string;
  readonly timer: NodeJS.Timeout;
}

/** How somebody waits. */
export interface WaitOptions {
  /** Whose turn it takes; see `callerOf`. */
  readonly caller: string;
  /** How many may wait, all callers together. */
  readonly max: number;
  /** How long it waits at most, in ms. */
  readonly waitMs: number;
}

/**
 * Those who wait for their turn: callers take turns, and what one of them asks is served in the order in which it came. So
 * many wait at most, and none of them longer than its time. When all places are taken, a caller with fewer places than the
 * one with the most gets one of its last, so that nobody fills the queue against the others.
 */
export class FairQueue<Waiter> {
  readonly #onLost: (waiter: Waiter) => void;
  readonly #places = new Map<Waiter, Place>();
  /** By caller; the first line is the next to be served. */
  readonly #lines = new Map<string, Set<Waiter>>();

  /** @param onLost hears of each that has waited in vain; it waits no more by then. */
  constructor(onLost: (waiter: Waiter) => void) {
    this.#onLost = onLost;
  }

  /** How many wait. */
  get size(): number {
    return this.#places.size;
  }

  /** How many callers wait. */
  get callers(): number {
    return this.#lines.size;
  }

  /** Puts one at the end of its caller's line. @returns whether there was a place. */
  add(waiter: Waiter, { caller, max, waitMs }: WaitOptions): boolean {
    if (this.#places.size >= max && !this.#makeRoom(caller)) return false;
    const timer = setTimeout(() => this.#lose(waiter), waitMs);
    this.#places.set(waiter, { caller, timer });
    const line = this.#lines.get(caller);
    if (line === undefined) this.#lines.set(caller, new Set([waiter]));
    else line.add(waiter);
    return true;
  }

  /** Who is next; undefined when nobody waits. */
  peek(): Waiter | undefined {
    for (const line of this.#lines.values()) for (const waiter of line) return waiter;
    return undefined;
  }

  /** Takes out who is next: it is the turn of the next caller then. */
  take(): Waiter | undefined {
    const waiter = this.peek();
    if (waiter === undefined) return undefined;
    const { caller } = this.#places.get(waiter) as Place;
    this.delete(waiter);
    const rest = this.#lines.get(caller);
    if (rest !== undefined) {
      this.#lines.delete(caller);
      this.#lines.set(caller, rest);
    }
    return waiter;
  }

  /** Takes one out who waits no more. @returns whether it waited. */
  delete(waiter: Waiter): boolean {
    const place = this.#places.get(waiter);
    if (place === undefined) return false;
    clearTimeout(place.timer);
    this.#places.delete(waiter);
    const line = this.#lines.get(place.caller) as Set<Waiter>;
    line.delete(waiter);
    if (line.size === 0) this.#lines.delete(place.caller);
    return true;
  }

  /** Gives up the last place of the longest line. @returns whether that is longer than the caller's would become. */
  #makeRoom(caller: string): boolean {
    // With one place each there is none to take, however many there are.
    if (this.#lines.size === this.#places.size) return false;
    let longest = this.#lines.get(caller) ?? NO_LINE;
    const own = longest.size;
    for (const line of this.#lines.values()) if (line.size > longest.size) longest = line as Set<never>;
    if (longest.size <= own + 1) return false;
    this.#lose([...longest].at(-1) as unknown as Waiter);
    return true;
  }

  #lose(waiter: Waiter): void {
    if (this.delete(waiter)) this.#onLost(waiter);
  }
}

const NO_LINE: ReadonlySet<never> = new Set();
