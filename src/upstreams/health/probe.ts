/** What a probe found: nothing wrong, or what is. */
export interface ProbeResult {
  readonly isGood: boolean;
  /** What is wrong; for a good one what is odd about it. */
  readonly fault?: string;
}

/** Hears what a probe found. */
export type ProbeDone = (result: ProbeResult) => void;

/** A way to ask a target whether it is well. */
export interface Probe {
  /**
   * Asks once; `done` is called once and never before this returns, unless the returned function is called first.
   *
   * @returns what ends it.
   */
  ask(done: ProbeDone): () => void;
  /** Gives its connection up: the next time is over a fresh one. */
  renew(): void;
  /** Gives everything up. */
  close(): void;
}

/** The result of a probe that found nothing wrong. */
export const GOOD: ProbeResult = Object.freeze({ isGood: true });

/** The result of a probe that found something wrong. */
export function bad(fault: string): ProbeResult {
  return { isGood: false, fault };
}
