import type { Digest } from './revocation-marks.ts';

/**
 * When a revocation is over, and for which tokens it holds, as one number: seconds on the clock of revocations until which a
 * token or a session is revoked; or, below 0, before which the tokens of a subject were issued that are.
 */
export type RevocationTime = number;

/**
 * Which of several facts about the same name holds: the one with the later stamp, in whatever order they are heard. A revocation
 * has the second in which it was ordered, or one more than what was known of the name; 0 where nobody knows. One that was taken
 * back has a negative stamp: of what it takes back, and one more.
 */
export type RevocationStamp = number;

/** Since when revocations are over; both on the clock of revocations. */
export interface RevocationClock {
  /** Revocations of tokens and sessions until then or earlier. */
  readonly now: number;
  /** Those of subjects before then: whatever was issued by that time has expired. */
  readonly oldest: number;
}

/** Clocks of replicas may be apart, and a subject be revoked up to some time ahead: a revocation is over before its undoing. */
const KEPT_LONGER_S = 180;

/** Whether nothing that it could name is good any more; of one that was taken back, whether what it took back is over anyway. */
export function isOver(
  time: RevocationTime,
  stamp: RevocationStamp,
  { now, oldest }: RevocationClock,
): boolean {
  if (stamp < 0) return time + KEPT_LONGER_S <= oldest;
  return time > 0 ? time <= now : -time <= oldest;
}

/** Hears of what is in a table. */
export type TellRevocation = (digest: Digest, time: RevocationTime, stamp: RevocationStamp) => void;

const WORDS = 4;
const SHIFT = 2;
/** Of the slots, at most so many are taken: chains stay short. */
const MOST_TAKEN = 0.75;
/** Bits of the filter for each slot: of a table that is full one in eight is set at most. */
const FILTER_BITS = 8;
const BITS_PER_WORD = 32;
const WORD_SHIFT = 5;

/**
 * A hash table of digests in arrays of numbers, 21 bytes a slot (open addressing, linear probing): no object per entry, so
 * that the collector of garbage never looks at a million of them. It has a fixed size. What is over stays in its place until
 * somebody needs the slot; nothing is ever taken out, so that no chain breaks: what is taken back is marked.
 *
 * A filter stands before it, a bit for each digest: nearly all look-ups are of who is not revoked, and end there. For a million
 * entries it takes 2 MiB, which the caches of a processor hold, and the whole table is not looked at.
 */
export class RevocationTable {
  readonly slots: number;
  readonly #words: Int32Array;
  readonly #filter: Int32Array;
  readonly #stamps: Int32Array;
  #taken = 0;
  /** How many have a bit in the filter, also those whose slot somebody else has by now. */
  #noted = 0;

  /** @param slots a power of two. */
  constructor(slots: number) {
    this.slots = slots;
    this.#words = new Int32Array(slots * WORDS);
    this.#filter = new Int32Array((slots * FILTER_BITS) / BITS_PER_WORD);
    this.#stamps = new Int32Array(slots);
  }

  /** How many slots a table needs for a number of entries. */
  static slotsFor(entries: number): number {
    let slots = 1024;
    while (slots * MOST_TAKEN < entries) slots *= 2;
    return slots;
  }

  /** How many slots are taken, also by what is over. */
  get taken(): number {
    return this.#taken;
  }

  get bytes(): number {
    return this.#words.byteLength + this.#filter.byteLength + this.#stamps.byteLength;
  }

  /** Whether no other entry should be put in. */
  get isFull(): boolean {
    // Bits are never taken out: where slots have changed hands long enough, a new table begins with a filter of use.
    return this.#taken >= this.slots * MOST_TAKEN || this.#noted >= this.slots;
  }

  /** The slot of a digest; below 0 for none. */
  slotOf({ a, b, c }: Digest): number {
    const filter = this.#filter;
    // By words of a digest of their own each: the place of a bit says nothing of the slot. A shift goes by five bits.
    if ((((filter[(c >> WORD_SHIFT) & (filter.length - 1)] as number) >> c) & 1) === 0) return -1;
    const words = this.#words;
    const mask = words.length - 1;
    for (let i = (a << SHIFT) & mask; words[i + 3] !== 0; i = (i + WORDS) & mask)
      if (words[i] === a && words[i + 1] === b && words[i + 2] === c) return i >> SHIFT;
    return -1;
  }

  /** The time of what is in a slot, whether it was taken back or not. */
  timeAt(slot: number): RevocationTime {
    return this.#words[slot * WORDS + 3] as number;
  }

  /** The stamp of what is in a slot; below 0 when it was taken back. */
  stampAt(slot: number): RevocationStamp {
    return this.#stamps[slot] as number;
  }

  /** Puts in what was heard of a digest, unless what is known is later. Never to be called for another one while {@link isFull}. */
  put(digest: Digest, time: RevocationTime, stamp: RevocationStamp, clock: RevocationClock): void {
    const words = this.#words;
    const { a, b, c } = digest;
    const mask = words.length - 1;
    let at = -1;
    let i = (a << SHIFT) & mask;
    for (; words[i + 3] !== 0; i = (i + WORDS) & mask) {
      if (words[i] === a && words[i + 1] === b && words[i + 2] === c)
        return this.#merge(i >> SHIFT, time, stamp);
      if (at < 0 && isOver(words[i + 3] as number, this.#stamps[i >> SHIFT] as number, clock)) at = i;
    }
    if (at < 0) {
      at = i;
      this.#taken += 1;
    }
    this.#note(c);
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = time;
    this.#stamps[at >> SHIFT] = stamp;
  }

  /**
   * Calls back with what is in slots that is not over, from one on and up to another; also with what was taken back, which has to
   * be known as long as somebody may tell that it was revoked.
   */
  each(from: number, to: number, clock: RevocationClock, tell: TellRevocation): void {
    const words = this.#words;
    const end = Math.min(to, this.slots);
    for (let slot = from; slot < end; slot += 1) {
      const i = slot * WORDS;
      const time = words[i + 3] as number;
      const stamp = this.#stamps[slot] as number;
      if (time === 0 || isOver(time, stamp, clock)) continue;
      tell({ a: words[i] as number, b: words[i + 1] as number, c: words[i + 2] as number }, time, stamp);
    }
  }

  /** How many entries are not over, and how many of them were taken back. @param from the first slot that is looked at. */
  count(clock: RevocationClock, from = 0): { readonly all: number; readonly undone: number } {
    const words = this.#words;
    let all = 0;
    let undone = 0;
    for (let slot = from; slot < this.slots; slot += 1) {
      const time = words[slot * WORDS + 3] as number;
      const stamp = this.#stamps[slot] as number;
      if (time === 0 || isOver(time, stamp, clock)) continue;
      all += 1;
      if (stamp < 0) undone += 1;
    }
    return { all, undone };
  }

  #note(c: number): void {
    const filter = this.#filter;
    const at = (c >> WORD_SHIFT) & (filter.length - 1);
    filter[at] = (filter[at] as number) | (1 << c);
    this.#noted += 1;
  }

  // The same whatever comes first, so that all replicas end up with the same; of the same stamp a revocation holds (fails closed).
  #merge(slot: number, time: RevocationTime, stamp: RevocationStamp): void {
    const at = slot * WORDS + 3;
    const known = this.timeAt(slot);
    const knownStamp = this.stampAt(slot);
    if (stamp < 0 === knownStamp < 0) {
      if (Math.abs(time) > Math.abs(known)) this.#words[at] = time;
      if (Math.abs(stamp) > Math.abs(knownStamp)) this.#stamps[slot] = stamp;
      return;
    }
    const isLater = stamp < 0 ? -stamp > knownStamp : stamp >= -knownStamp;
    if (!isLater) return;
    this.#words[at] = time;
    this.#stamps[slot] = stamp;
  }
}
