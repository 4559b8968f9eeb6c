/** Times of a crew, in ms. */
export interface CrewTimes {
  /** The pause before a worker is replaced that has ended soon after its start, the second time in a row; it doubles. */
  readonly firstDelayMs: number;
  /** The longest such pause. */
  readonly longestDelayMs: number;
  /** Who has lived for so long has not failed to start. */
  readonly stableMs: number;
  /** What a worker that takes another one's place may take until it serves. */
  readonly replacedWithinMs: number;
}

/** What holds where nothing else is said. */
export const CREW_TIMES: CrewTimes = {
  firstDelayMs: 200,
  longestDelayMs: 30_000,
  stableMs: 10_000,
  replacedWithinMs: 60_000,
};

/** Why a worker is no more; a `stuck` one was killed for want of an answer. */
export const END_REASONS = ['crashed', 'stuck', 'replaced', 'left'] as const;
/** One of {@link END_REASONS}. */
export type EndReason = (typeof END_REASONS)[number];
