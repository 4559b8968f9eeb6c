import type { Digest } from './revocation-marks.ts';

/**
 * When a revocation is over, and for which tokens it holds, as one number: seconds on the clock of revocations until which a
 * token or a session is revoked; or, below 0, before which the tokens of a subject were issued that are.
 */
export type RevocationTime = number;

/** Since when revocations are over; both on the clock of revocations. */
export interface RevocationClock {
  /** Revocations of tokens and sessions until then or earlier. */
  readonly now: number;
  /** Those of subjects before then: whatever was issued by that time has expired. */
  readonly oldest: number;
}

/** Whether nothing that it could name is good any more. */
export function isOver(time: RevocationTime, { now, oldest }: RevocationClock): boolean {
  return time > 0 ? time <= now : -time <= oldest;
}

const WORDS = 4;
const SHIFT = 2;
/** Of the slots, at most so many are taken: chains stay short. */
const MOST_TAKEN = 0.75;

/**
 * A hash table of digests in one array of numbers, 16 bytes a slot (open addressing, linear probing): no object per entry, so
 * that the collector of garbage never looks at a million of them. It has a fixed size. What is over stays in its place until
 * somebody needs the slot; nothing is ever taken out, so that no chain breaks.
 */
export class RevocationTable {
  readonly slots: number;
  readonly #words: Int32Array;
  #taken = 0;

  /** @param slots a power of two. */
  constructor(slots: number) {
    this.slots = slots;
    this.#words = new Int32Array(slots * WORDS);
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
    return this.#words.byteLength;
  }

  /** Whether no other entry should be put in. */
  get isFull(): boolean {
    return this.#taken >= this.slots * MOST_TAKEN;
  }

  /** The time of a digest; 0 for none. */
  find({ a, b, c }: Digest): RevocationTime {
    const words = this.#words;
    const mask = words.length - 1;
    for (let i = (a << SHIFT) & mask; ; i = (i + WORDS) & mask) {
      const time = words[i + 3] as number;
      if (time === 0) return 0;
      if (words[i] === a && words[i + 1] === b && words[i + 2] === c) return time;
    }
  }

  /** Puts a digest in, or has it hold for longer. Never to be called for another one while {@link isFull}. */
  put({ a, b, c }: Digest, time: RevocationTime, clock: RevocationClock): void {
    const words = this.#words;
    const mask = words.length - 1;
    let at = -1;
    let i = (a << SHIFT) & mask;
    for (; words[i + 3] !== 0; i = (i + WORDS) & mask) {
      const known = words[i + 3] as number;
      if (words[i] === a && words[i + 1] === b && words[i + 2] === c) {
        if (Math.abs(time) > Math.abs(known)) words[i + 3] = time;
        return;
      }
      if (at < 0 && isOver(known, clock)) at = i;
    }
    if (at < 0) {
      at = i;
      this.#taken += 1;
    }
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = time;
  }

  /** Calls back with what is in slots that is not over, from one on and up to another. */
  each(
    from: number,
    to: number,
    clock: RevocationClock,
    tell: (digest: Digest, time: RevocationTime) => void,
  ): void {
    const words = this.#words;
    const end = Math.min(to, this.slots) * WORDS;
    for (let i = from * WORDS; i < end; i += WORDS) {
      const time = words[i + 3] as number;
      if (time === 0 || isOver(time, clock)) continue;
      tell({ a: words[i] as number, b: words[i + 1] as number, c: words[i + 2] as number }, time);
    }
  }

  /** How many entries are not over. @param from the first slot that is looked at. */
  count(clock: RevocationClock, from = 0): number {
    const words = this.#words;
    let count = 0;
    for (let i = from * WORDS + 3; i < words.length; i += WORDS) {
      const time = words[i] as number;
      if (time !== 0 && !isOver(time, clock)) count += 1;
    }
    return count;
  }
}
