import { idled, joined } from './standing-queues.ts';

/** How somebody waits. */
export interface WaitOptions {
  /** Whose turn it takes; see `callerOf`. */
  readonly caller: string;
  /** How many may wait, all callers together. */
  readonly max: number;
  /** How long it waits at most, in ms. */
  readonly waitMs: number;
  /**
   * What of a caller is served first once somebody has waited for as long as one may, without a pause: `fifo`, or with `adaptive`
   * what came last, for what came first will not be awaited any more when its turn comes. Default `fifo`.
   */
  readonly order?: QueueOrder | undefined;
}

/** In which order a queue serves what one caller asks. */
export const QUEUE_ORDERS = ['fifo', 'adaptive'] as const;
/** One of {@link QUEUE_ORDERS}. */
export type QueueOrder = (typeof QUEUE_ORDERS)[number];

/** One who waits, between those of the same caller before and after it. */
interface Place<Waiter> {
  readonly waiter: Waiter;
  readonly line: Line<Waiter>;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
  before: Place<Waiter> | undefined;
  after: Place<Waiter> | undefined;
}

/** Those of one caller. */
interface Line<Waiter> {
  readonly caller: string;
  first: Place<Waiter> | undefined;
  last: Place<Waiter> | undefined;
  size: number;
}

/**
 * Those who wait for their turn: callers take turns, and what one of them asks is served in the order in which it came. So
 * many wait at most, and none of them longer than its time. When all places are taken, a caller with fewer places than the
 * one with the most gets one of its last, so that nobody fills the queue against the others. Where the order is `adaptive` and the
 * queue stands, each caller's last is served first, and places are taken from the oldest of who has the most.
 */
export class FairQueue<Waiter> {
  readonly #onLost: (waiter: Waiter) => void;
  readonly #places = new Map<Waiter, Place<Waiter>>();
  /** By caller; the first line is the next to be served. */
  readonly #lines = new Map<string, Line<Waiter>>();
  /** Since when somebody waits all the time. */
  #busySince = 0;
  /** After what time without a pause the last is served first. */
  #reversesAfterMs = Infinity;
  /** Whether it is; looked at when one comes or goes, so that who is next is who is taken. */
  #isReversed = false;
  /** The shortest time that anybody has waited who was served since it was read. */
  #shortestMs = Infinity;

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

  /** For how long somebody has waited all the time, in ms. */
  busyForMs(now: number): number {
    return this.#places.size === 0 ? 0 : now - this.#busySince;
  }

  /** Puts one at the end of its caller's line. @returns whether there was a place. */
  add(waiter: Waiter, { caller, max, waitMs, order = 'fifo' }: WaitOptions): boolean {
    const now = performance.now();
    this.#reversesAfterMs = order === 'adaptive' ? waitMs : Infinity;
    this.#isReversed = this.busyForMs(now) > this.#reversesAfterMs;
    if (this.#places.size >= max && !this.#makeRoom(caller)) return false;
    if (this.#places.size === 0) {
      this.#busySince = now;
      // A queue that was empty does not stand.
      this.#shortestMs = 0;
      joined(this);
    }
    const line = this.#lineOf(caller);
    const timer = setTimeout(() => this.#lose(waiter), waitMs);
    const place: Place<Waiter> = { waiter, line, since: now, timer, before: line.last, after: undefined };
    if (line.last === undefined) line.first = place;
    else line.last.after = place;
    line.last = place;
    line.size += 1;
    this.#places.set(waiter, place);
    return true;
  }

  /** Who is next; undefined when nobody waits. */
  peek(): Waiter | undefined {
    for (const line of this.#lines.values()) return this.#isReversed ? line.last?.waiter : line.first?.waiter;
    return undefined;
  }

  /** Takes out who is next: it is the turn of the next caller then. */
  take(): Waiter | undefined {
    const waiter = this.peek();
    if (waiter === undefined) return undefined;
    const { line, since } = this.#places.get(waiter) as Place<Waiter>;
    const now = performance.now();
    this.#shortestMs = Math.min(this.#shortestMs, now - since);
    this.delete(waiter);
    this.#isReversed = this.busyForMs(now) > this.#reversesAfterMs;
    if (this.#lines.delete(line.caller)) this.#lines.set(line.caller, line);
    return waiter;
  }

  /** Takes one out who waits no more. @returns whether it waited. */
  delete(waiter: Waiter): boolean {
    const place = this.#places.get(waiter);
    if (place === undefined) return false;
    const { line, before, after, timer } = place;
    clearTimeout(timer);
    this.#places.delete(waiter);
    if (before === undefined) line.first = after;
    else before.after = after;
    if (after === undefined) line.last = before;
    else after.before = before;
    line.size -= 1;
    if (line.size === 0) this.#lines.delete(line.caller);
    if (this.#places.size === 0) idled(this);
    return true;
  }

  /**
   * For how long everybody has waited who was served since this was asked last, at the least, in ms: a queue that was empty
   * meanwhile has only smoothed a burst. Where nobody was served, how long the first has waited.
   */
  standingMs(now: number): number {
    const shortest = this.#shortestMs;
    this.#shortestMs = Infinity;
    if (shortest !== Infinity) return shortest;
    let since = now;
    for (const { first } of this.#lines.values()) since = Math.min(since, first?.since ?? now);
    return now - since;
  }

  #lineOf(caller: string): Line<Waiter> {
    let line = this.#lines.get(caller);
    if (line === undefined)
      this.#lines.set(caller, (line = { caller, first: undefined, last: undefined, size: 0 }));
    return line;
  }

  /** Gives up a place of the longest line. @returns whether that is longer than the caller's would become. */
  #makeRoom(caller: string): boolean {
    const isReversed = this.#isReversed;
    // With one place each there is none to take, however many there are.
    if (!isReversed && this.#lines.size === this.#places.size) return false;
    const own = this.#lines.get(caller);
    let longest = own;
    for (const line of this.#lines.values()) if (line.size > (longest?.size ?? 0)) longest = line;
    const isUnfair = longest !== undefined && longest.size > (own?.size ?? 0) + 1;
    // Its own oldest is worth less than what it asks now; nobody else's is who has as little.
    const loses = isUnfair ? longest : isReversed ? own : undefined;
    const place = isReversed ? loses?.first : loses?.last;
    return place !== undefined && this.#lose(place.waiter);
  }

  #lose(waiter: Waiter): boolean {
    if (this.delete(waiter)) this.#onLost(waiter);
    return true;
  }
}
