import type { Borders, QuotaCalendar } from './quota-calendar.ts';

/**
 * How a quota minds its limit: `hard` refuses what goes beyond it, `soft` counts it and says so, `shadow` does nothing but to
 * find out what `hard` would have done. `look` takes nothing, `reset` begins the window anew, and `back` gives the cost back.
 */
export type QuotaMode = 'hard' | 'soft' | 'shadow' | 'look' | 'reset' | 'back';

/** What is asked of a quota, as far as it is settled before there is a request. */
export interface QuotaTerms {
  readonly name: string;
  readonly mode: QuotaMode;
  /** Units per window. */
  readonly limit: number;
  readonly cost: number;
  /** Most units that are left of a window and good in the next one. */
  readonly carryOver: number;
  /** The share of a window, above 0 and at most 1, from which on it warns. */
  readonly warnAt: number;
  readonly calendar: QuotaCalendar;
  /** Units that are left and that others may use meanwhile. Default none. */
  readonly withheld?: number;
}

/** What was found, and what became of it. */
export interface QuotaCount {
  /** Whether this quota has room for what was asked; a refusal takes nothing, whichever quota of a request has refused. */
  readonly fits: boolean;
  /** Units used in the window, those that were just taken included. */
  readonly used: number;
  /** Units that were left of the last window and are good in this one. */
  readonly carried: number;
  /** Where the window begins and ends, in seconds since the epoch. */
  readonly start: number;
  readonly end: number;
  /** What has happened for the first time in this window: {@link WARNED} and {@link EXHAUSTED}, as bits. */
  readonly news: number;
}

/** The share that it warns from has been used. */
export const WARNED = 1;
/** Something did not fit, or went beyond the limit. */
export const EXHAUSTED = 2;

/** One window of one quota of one subject, as it is kept. */
export interface KeptWindow {
  used: number;
  carried: number;
  /** {@link WARNED} and {@link EXHAUSTED}. */
  told: number;
  /** Units that the store had counted when it was heard last; absent for none. */
  known?: number;
}

/** Windows by where they begin. */
export type KeptWindows = Map<number, KeptWindow>;

/** Without carry-over a window is kept as long beyond its end, for a clock that went back, in seconds. */
const GRACE_S = 3600;

/** How long after the end of a window anything is kept of it, in seconds: two windows more where units are carried over. */
export function keptFor({ carryOver }: Pick<QuotaTerms, 'carryOver'>, start: number, end: number): number {
  return carryOver > 0 ? 2 * (end - start) : GRACE_S;
}

/** Which of the four windows between borders an instant is in, by the index of its start; undefined where they do not reach. */
export function windowAt(borders: Borders, seconds: number): 1 | 2 | 3 | undefined {
  for (const index of [1, 2, 3] as const)
    if (seconds >= borders[index] && seconds < (borders[index + 1] as number)) return index;
  return undefined;
}

/** Where a clock is among borders. */
export interface Present {
  readonly borders: Borders;
  /** The index of the start of its window. */
  readonly index: 1 | 2 | 3;
}

/** What is kept of a window, or how it begins: what was left of the one before it is read once, at its first hit. */
export function openWindow(kept: KeptWindows, terms: QuotaTerms, present: Present): KeptWindow {
  const known = kept.get(present.borders[present.index]);
  if (known !== undefined) return known;
  return { used: 0, carried: terms.carryOver === 0 ? 0 : leftOf(kept, terms, present), told: 0 };
}

// Whoever is known and has not called in the last window has used nothing of it; whoever is not known begins with nothing.
function leftOf(kept: KeptWindows, { limit, carryOver }: QuotaTerms, { borders, index }: Present): number {
  const last = kept.get(borders[(index - 1) as 0 | 1 | 2]);
  if (last !== undefined) return Math.min(carryOver, Math.max(0, limit + last.carried - last.used));
  return kept.size > 0 ? Math.min(carryOver, limit) : 0;
}

/** Whether a quota has room for a cost. */
export function fits(
  { used, carried }: KeptWindow,
  { limit, cost, mode, withheld = 0 }: QuotaTerms,
): boolean {
  if (mode === 'look' || mode === 'reset' || mode === 'back') return true;
  return used + cost <= limit + carried - withheld;
}

/**
 * Counts in place. The script for Redis does the same in the same order.
 *
 * @param isRefused whether any quota of the request refuses it.
 * @returns what has happened for the first time, as bits.
 */
export function count(window: KeptWindow, terms: QuotaTerms, isRefused: boolean): number {
  const { mode, cost, limit, warnAt } = terms;
  if (mode === 'look') return 0;
  if (mode === 'reset') window.used = window.told = 0;
  if (mode === 'back') window.used = Math.max(0, window.used - cost);
  if (mode === 'reset' || mode === 'back') return 0;
  const before = window.told;
  const total = limit + window.carried;
  const hasRoom = fits(window, terms);
  // Nothing is used up by what is withheld.
  const isOver = !hasRoom && window.used + cost > total;
  if (!isRefused && (hasRoom || mode === 'soft')) window.used += cost;
  if (window.used >= warnAt * total) window.told |= WARNED;
  if (mode === 'soft' ? window.used > total : isOver) window.told |= EXHAUSTED;
  return window.told - before;
}
