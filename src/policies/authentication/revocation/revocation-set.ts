import { secondsOf, type Digest, type RevocationMarks } from './revocation-marks.ts';
import {
  isOver,
  RevocationTable,
  type RevocationClock,
  type RevocationStamp,
  type RevocationTime,
  type TellRevocation,
} from './revocation-table.ts';

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

  /** How many hold now, and how many more it has to remember that were taken back; looks at all of them. */
  count(): { readonly held: number; readonly undone: number } {
    const clock = this.#clock();
    const now = this.#table.count(clock);
    const before = this.#previous?.count(clock, this.#moved) ?? { all: 0, undone: 0 };
    const undone = now.undone + before.undone;
    return { held: now.all + before.all - undone, undone };
  }

  /** Whether one of them names a principal. */
  revokes({ token, session, subject, issuedAt }: RevocationMarks): boolean {
    if (this.isEmpty) return false;
    if (token !== undefined && this.#isWithin(token)) return true;
    if (session !== undefined && this.#isWithin(session)) return true;
    if (subject === undefined) return false;
    const time = this.find(subject);
    return time < 0 && issuedAt < -time;
  }

  /** Whether something is revoked now that a digest names: a token, a session, or what a subject was issued before a time. */
  holds(digest: Digest): boolean {
    const time = this.find(digest);
    return time !== 0 && !isOver(time, 0, this.#clock());
  }

  /** The time of a digest; 0 for none, and for one that was taken back. */
  find(digest: Digest): RevocationTime {
    const table = this.#tableOf(digest);
    const slot = table.slotOf(digest);
    return slot < 0 || table.stampAt(slot) < 0 ? 0 : table.timeAt(slot);
  }

  /** The stamp of a digest; 0 for none, below 0 for one that was taken back. */
  stampOf(digest: Digest): RevocationStamp {
    const table = this.#tableOf(digest);
    const slot = table.slotOf(digest);
    return slot < 0 ? 0 : table.stampAt(slot);
  }

  /**
   * Adds one, or has it hold for longer; or takes it back, where the stamp says so. What is known and later stays.
   *
   * @returns whether there was room for it.
   */
  add(digest: Digest, time: RevocationTime, stamp: RevocationStamp = 0): boolean {
    if (this.#previous !== undefined) this.move(MOVED_PER_ADD);
    const clock = this.#clock();
    if (this.#table.isFull || this.#table.taken >= this.bounds.max) {
      if (this.#table.slotOf(digest) < 0 && !this.#makeRoom(clock)) return false;
    }
    // What has not moved yet counts as well.
    const slot = this.#previous?.slotOf(digest) ?? -1;
    const previous = this.#previous;
    if (previous !== undefined && slot >= 0)
      this.#table.put(digest, previous.timeAt(slot), previous.stampAt(slot), clock);
    this.#table.put(digest, time, stamp, clock);
    return true;
  }

  /** Goes on moving, if there is something to move. @param slots how many are looked at. */
  move(slots: number): void {
    const previous = this.#previous;
    if (previous === undefined) return;
    const clock = this.#clock();
    const until = this.#moved + slots;
    previous.each(this.#moved, until, clock, (digest, time, stamp) =>
      this.#table.put(digest, time, stamp, clock),
    );
    this.#moved = until;
    if (until >= previous.slots) this.#previous = undefined;
  }

  /**
   * Calls back with some of those that hold now, or were taken back.
   *
   * @param from the first slot that is looked at; 0 to begin.
   * @param slots how many are looked at.
   * @returns the slot to go on from; undefined at the end.
   */
  some(from: number, slots: number, tell: TellRevocation): number | undefined {
    this.move(Infinity);
    const to = from + slots;
    this.#table.each(from, to, this.#clock(), tell);
    return to < this.#table.slots ? to : undefined;
  }

  /** Begins to move to a table that has room; fails when all that there may be hold. */
  #makeRoom(clock: RevocationClock): boolean {
    this.move(Infinity);
    const count = this.#table.count(clock).all;
    if (count >= this.bounds.max) return false;
    this.#previous = this.#table;
    this.#moved = 0;
    this.#table = new RevocationTable(RevocationTable.slotsFor(Math.min(count * 2, this.bounds.max)));
    return true;
  }

  #isWithin(digest: Digest): boolean {
    const time = this.find(digest);
    // The clock is read for those that are found only.
    return time !== 0 && time > secondsOf(this.#now());
  }

  #tableOf(digest: Digest): RevocationTable {
    const previous = this.#previous;
    return previous === undefined || this.#table.slotOf(digest) >= 0 ? this.#table : previous;
  }

  #clock(): RevocationClock {
    const now = secondsOf(this.#now());
    return { now, oldest: now - this.bounds.longest / 1000 };
  }
}
