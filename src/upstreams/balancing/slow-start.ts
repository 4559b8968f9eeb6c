const LEAST_PACE = 0.1;
/** The pace goes in steps, so that between them nothing is computed. */
const STEPS = 50;

/** What a target gets of its share for the time being. */
export interface Pace {
  /** From 0.1 to 1. */
  readonly pace: number;
  /** When it changes; `Infinity` for never. */
  readonly until: number;
}

const FULL: Pace = Object.freeze({ pace: 1, until: Infinity });

/**
 * How far a target is that takes its share slowly: in proportion to the time, and never below a tenth.
 *
 * @param since when it came or came back; undefined for one that is warm.
 */
export function paceAt(now: number, since: number | undefined, slowStartMs: number): Pace {
  if (since === undefined || now - since >= slowStartMs) return FULL;
  const stepMs = slowStartMs / STEPS;
  const step = Math.max(0, Math.floor((now - since) / stepMs));
  // The middle of a step, so that on average nothing is too early or too late.
  return { pace: Math.max(LEAST_PACE, (step + 0.5) / STEPS), until: since + (step + 1) * stepMs };
}
