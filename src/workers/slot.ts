import type { Member } from './member.ts';

/** The place of one worker, and who has it. */
export interface Slot {
  /** From 1. */
  readonly number: number;
  current: Member | undefined;
  /** Who is about to take the place. */
  next: Member | undefined;
  /** How often in a row somebody ended here soon after the start. */
  failures: number;
  hasServed: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Places that nobody has yet. */
export function slotsFor(count: number): readonly Slot[] {
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    current: undefined,
    next: undefined,
    failures: 0,
    hasServed: false,
    timer: undefined,
  }));
}
