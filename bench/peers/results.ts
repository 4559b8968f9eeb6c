import type { Series } from '../measure.ts';
import type { Subject } from '../stand.ts';
import type { Entrant, PeersCase } from './cases.ts';

/** What came of one of those that the gateway is measured against. */
export interface EntrantResult {
  readonly entrant: Entrant;
  readonly version: string;
  readonly series: Series;
  /** Why there are no numbers, and what to do. */
  readonly skipped?: string;
  /** What went wrong, so that the numbers would be of something else. */
  failed?: string;
}

/** What a case came to. */
export interface PeersResult {
  readonly case: PeersCase;
  readonly gateway: Series;
  readonly entrants: readonly EntrantResult[];
  /** What a reader of the numbers should know. */
  readonly note?: string | undefined;
  /** What went wrong with the gateway itself. */
  readonly failed?: string;
}

/** A process that takes part, and what was measured of it. */
export interface Side {
  readonly subject: Subject;
  readonly series: Series;
}

/** One of those that the gateway is measured against, while it takes part. */
export interface PeerSide extends Side {
  readonly result: EntrantResult;
}

/** Does something with somebody; what goes wrong is noted at its result, and hurts nobody else. */
export async function attempt<Value>(
  result: EntrantResult,
  work: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    result.failed ??= (error as Error).message;
    return undefined;
  }
}

/** A series without a round. */
export function emptySeries(): Series {
  return { rounds: [], requests: 0, rssBytes: 0, upstreamCalls: 0 };
}
