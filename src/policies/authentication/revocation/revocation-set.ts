import { secondsOf, type Digest, type RevocationMarks } from './revocation-marks.ts';
import { RevocationTable, type RevocationClock, type RevocationTime } from './revocation-table.ts';

/** How many slots move to a larger table with each entry that is added: it is done long before the larger one is full. */
const MOVED_PER_ADD = 64;

/** How a set is bounded. */
export interface RevocationBounds {
  /** Most revocations at once. */
  readonly max: number;
  /** The longest life of a token, in ms. */
  readonly longest: number;
}

/**
 * The revocations that a process knows of, in bounded memory. It grows by moving from table to table a few slots at a time,
 * which leaves behind what is over, so that a million entries hold the event loop up for some milliseconds at most, seldom.
 */
export class RevocationSet {
  bounds: RevocationBounds;
  readonly #now: () => number;
  #table = new RevocationTable(RevocationTable.slotsFor(0));
  /** What has not moved yet. */
  #previous: RevocationTable | undefined = undefined;
  #moved = 0;

  /** @param now in ms since the epoch. */
  constructor(bounds: RevocationBounds, now: () => number = Date.now) {
    this.bounds = bounds;
    this.#now = now;
  }

  /** The memory that it holds. */
  get bytes(): number {
    return this.#table.bytes + (this.#previous?.bytes ?? 0);
  }

  /** Whether there never was one. */
  get isEmpty(): boolean {
    return this.#table.taken === 0 && this.#previous === undefined;
  }

  /** How many hold now; looks at all of them. */
  count(): number {
    const clock = this.#clock();
    return this.#table.count(clock) + (this.#previous?.count(clock, this.#moved) ?? 0);
  }

  /** Whether one of them names a principal. */
  revokes({ token, session, subject, issuedAt }: RevocationMarks): boolean {
    if (this.isEmpty) return false;
    if (token !== undefined && this.#holds(token)) return true;
    if (session !== undefined && this.#holds(session)) return true;
    if (subject === undefined) return false;
    const time = this.find(subject);
    return time < 0 && issuedAt < -time;
  }

  /** The time of a digest; 0 for none. */
  find(digest: Digest): RevocationTime {
    const time = this.#table.find(digest);
    return time !== 0 || this.#previous === undefined ? time : this.#previous.find(digest);
  }

  /** Adds one, or has it hold for longer. @returns whether there was room for it. */
  add(digest: Digest, time: RevocationTime): boolean {
    if (this.#previous !== undefined) this.move(MOVED_PER_ADD);
    const clock = this.#clock();
    if (this.#table.isFull || this.#table.taken >= this.bounds.max) {
      if (this.#table.find(digest) === 0 && !this.#makeRoom(clock)) return false;
    }
    this.#table.put(digest, time, clock);
    return true;
  }

  /** Goes on moving, if there is something to move. @param slots how many are looked at. */
  move(slots: number): void {
    const previous = this.#previous;
    if (previous === undefined) return;
    const clock = this.#clock();
    const until = this.#moved + slots;
    previous.each(this.#moved, until, clock, (digest, time) => this.#table.put(digest, time, clock));
    this.#moved = until;
    if (until >= previous.slots) this.#previous = undefined;
  }

  /**
   * Calls back with some of those that hold now.
   *
   * @param from the first slot that is looked at; 0 to begin.
   * @param slots how many are looked at.
   * @returns the slot to go on from; undefined at the end.
   */
  some(
    from: number,
    slots: number,
    tell: (digest: Digest, time: RevocationTime) => void,
  ): number | undefined {
    this.move(Infinity);
    const to = from + slots;
    this.#table.each(from, to, this.#clock(), tell);
    return to < this.#table.slots ? to : undefined;
  }

  /** Begins to move to a table that has room; fails when all that there may be hold. */
  #makeRoom(clock: RevocationClock): boolean {
    this.move(Infinity);
    const count = this.#table.count(clock);
    if (count >= this.bounds.max) return false;
    this.#previous = this.#table;
    this.#moved = 0;
    this.#table = new RevocationTable(RevocationTable.slotsFor(Math.min(count * 2, this.bounds.max)));
    return true;
  }

  #holds(digest: Digest): boolean {
    const time = this.find(digest);
    // The clock is read for those that are found only.
    return time !== 0 && time > secondsOf(this.#now());
  }

  #clock(): RevocationClock {
    const now = secondsOf(this.#now());
    return { now, oldest: now - this.bounds.longest / 1000 };
  }
}
