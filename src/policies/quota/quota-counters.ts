import type { StoreUnavailable } from '../../store/store-guard.ts';
import type { QuotaCount, QuotaTerms } from './quota-count.ts';

/** What became of a request at its quotas. */
export interface QuotaReply {
  /** The clock that has said which windows they are, in ms since the epoch. */
  readonly nowMs: number;
  /** One for each quota, in their order. */
  readonly counts: readonly QuotaCount[];
  /** Whether it repeats what was heard before, and nothing was counted for it. Default false. */
  readonly isNoted?: boolean;
}

/** What counters answer: what they have counted, or that their store could not be asked. */
export type QuotaOutcome = QuotaReply | StoreUnavailable;

/**
 * Quotas by key. All that are asked at once take, or none of them does. Answers synchronously where it can; never throws and
 * never rejects.
 */
export interface QuotaCounters {
  /** @param keys one for each of the terms: `{subject}:name`. */
  take(keys: readonly string[], terms: readonly QuotaTerms[]): QuotaOutcome | Promise<QuotaOutcome>;
}

/** Hears once per window and subject that a quota warns, or is used up. */
export type QuotaListener = (key: string, terms: QuotaTerms, count: QuotaCount) => void;

/** Injection token of the {@link QuotaCounters} of the gateway. */
export const QUOTA_COUNTERS = Symbol('QUOTA_COUNTERS');
