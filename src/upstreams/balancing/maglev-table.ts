import { textHash } from './text-hash.ts';

/** Primes: a table has some hundred places for each target. More move fewer keys, and take longer to make. */
const SIZES = [4093, 16_381, 65_537] as const;
const PLACES_PER_TARGET = 400;
const [ORDER_SEED, OFFSET_SEED, SKIP_SEED] = [0x6a09e667, 0x3c6ef372, 0x510e527f] as const;

/** One of those that share a table. */
export interface MaglevMember {
  /** What it is called; the table depends on this and on nothing else, such as the order of a list. */
  readonly key: string;
  readonly weight: number;
}

interface Turn {
  /** Index of the member. */
  readonly index: number;
  readonly skip: number;
  /** Weight relative to the heaviest. */
  readonly pace: number;
  place: number;
  credit: number;
}

/**
 * Which member each of the places belongs to (Maglev hashing, NSDI 2016): each takes by turns the next free one of an order
 * of its own, as often as its weight allows. When one member goes, hardly any but its own places change hands.
 *
 * @returns indexes of members, as many as the table has places.
 */
export function maglevTable(members: readonly MaglevMember[]): Uint16Array {
  const size = SIZES.find((places) => places >= members.length * PLACES_PER_TARGET) ?? SIZES[2];
  const table = new Uint16Array(size);
  const taken = new Uint8Array(size);
  const turns = turnsOf(members, size);
  for (let filled = 0; filled < size;) {
    for (const turn of turns) {
      turn.credit += turn.pace;
      if (turn.credit < 1 || filled === size) continue;
      turn.credit -= 1;
      while (taken[turn.place] === 1) turn.place = (turn.place + turn.skip) % size;
      taken[turn.place] = 1;
      table[turn.place] = turn.index;
      filled += 1;
    }
  }
  return table;
}

function turnsOf(members: readonly MaglevMember[], size: number): readonly Turn[] {
  const heaviest = members.reduce((most, { weight }) => Math.max(most, weight), 0);
  const ordered = members.map((member, index) => ({
    member,
    index,
    order: textHash(member.key, ORDER_SEED),
  }));
  ordered.sort((a, b) => a.order - b.order || (a.member.key < b.member.key ? -1 : 1));
  return ordered.map(({ member: { key, weight }, index }) => ({
    index,
    skip: (textHash(key, SKIP_SEED) % (size - 1)) + 1,
    pace: weight / heaviest,
    place: textHash(key, OFFSET_SEED) % size,
    credit: 0,
  }));
}
