import type { Answer } from '../../exchange/exchange.ts';
import type { Coding } from '../compression/accept-encoding.ts';

const ENTRY_OVERHEAD_BYTES = 512;

/** A stored answer with its times, on the clock of `Date.now()`. */
export interface Entry {
  /** Its fields are those of the answer as it came, whatever its body is kept in. */
  readonly answer: Answer;
  /** What the body is compressed in; undefined for as it came. */
  readonly coded?: CodedBody | undefined;
  /** Its header fields as a text, ready to be written; undefined where that takes the long way. */
  readonly lines: string | undefined;
  /** Request fields that the answer depends on, lower-case. */
  readonly vary: readonly string[];
  /** A digest of the values that it was made for. */
  readonly variant: string;
  /** When the answer was made, as far as its `Age` and `Date` tell; never begun anew when it is copied. */
  readonly storedAt: number;
  readonly freshUntil: number;
  /** Whether it may be used at all once it is not fresh. */
  readonly mayBeStale: boolean;
  /** Until when it answers while somebody asks the upstream (`stale-while-revalidate`). */
  readonly revalidateUntil: number;
  /** Until when it stands in for an upstream that fails (`stale-if-error`). */
  readonly standInUntil: number;
  /** Until when it is of any use. */
  readonly keptUntil: number;
  readonly mustValidate: boolean;
  readonly isImmutable: boolean;
  /** Fields that ask the upstream whether it still holds; empty for none. */
  readonly validators: readonly string[];
  /** What it is tagged with, and how often these tags had been purged when it was asked for. */
  readonly tags: readonly TagMark[];
}

/** How a body is kept compressed. */
export interface CodedBody {
  readonly coding: Coding;
  /** How long it is as it came, in bytes. */
  readonly length: number;
}

/** A tag of an entry, as one of the slots that tags share, and the state that the slot had. */
export interface TagMark {
  readonly slot: number;
  readonly hard: number;
  readonly soft: number;
}

/** The same, fresh no longer than now, and stale for as long as it would have been. */
export function agedEntry(entry: Entry, now: number): Entry {
  const lostMs = Math.max(0, entry.freshUntil - now);
  return {
    ...entry,
    freshUntil: entry.freshUntil - lostMs,
    revalidateUntil: entry.revalidateUntil - lostMs,
    standInUntil: entry.standInUntil - lostMs,
  };
}

/** The length of its body as it came, in bytes. */
export function lengthOf({ answer, coded }: Entry): number {
  return coded?.length ?? answer.body.length;
}

/** What an entry takes, in bytes, as it is stored. */
export function weightOfEntry({ answer, vary, lines, tags }: Entry): number {
  let weight = answer.body.length + (lines?.length ?? 0) + tags.length * 32 + ENTRY_OVERHEAD_BYTES;
  for (const text of answer.headers) weight += text.length;
  for (const field of vary) weight += field.length;
  return weight;
}
