import type { Answer } from '../../exchange/exchange.ts';

/** A stored answer with its times, on the clock of `Date.now()`. */
export interface Entry {
  readonly answer: Answer;
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

/** A tag of an entry, as one of the slots that tags share, and the state that the slot had. */
export interface TagMark {
  readonly slot: number;
  readonly hard: number;
  readonly soft: number;
}
