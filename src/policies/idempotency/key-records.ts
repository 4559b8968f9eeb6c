import type { StoreUnavailable } from '../../store/store-guard.ts';
import type { Fingerprint } from './asked.ts';

/** A request that wants to be the one that is run. */
export interface Claim {
  /** Where its record is. */
  readonly name: string;
  /** Who runs it: another one for each request. */
  readonly owner: string;
  readonly fingerprint: Fingerprint;
  readonly leaseMs: number;
  /** How long the record is kept once nobody works on it. */
  readonly ttlMs: number;
}

/** What is known of a key. */
export type Claimed =
  /** Nothing: it is the claimant's now. */
  | { readonly state: 'claimed' }
  /** Somebody works on it, for `leftMs` at least. */
  | { readonly state: 'running'; readonly fingerprint: Fingerprint; readonly leftMs: number }
  /** It was given to a service, and nobody knows what became of it. */
  | { readonly state: 'unknown'; readonly fingerprint: Fingerprint }
  /** It was answered. */
  | { readonly state: 'done'; readonly fingerprint: Fingerprint; readonly answer: Buffer };

/** What becomes of a record. */
export type RecordState =
  /** It waits, and nothing has been run: whoever comes after the end of the lease may. */
  | { readonly state: 'claimed' }
  /** It is run. Once its lease is over, nobody knows how that ended. */
  | { readonly state: 'sent' }
  | { readonly state: 'unknown' }
  | { readonly state: 'done'; readonly answer: Buffer };

/**
 * Where keys are kept. Everything is atomic: of any number of equal claims one is granted. What belongs to another owner by
 * now is never changed.
 */
export interface KeyRecords {
  /** Whether records outlive this process, so that leases have to be extended. */
  readonly isShared: boolean;
  /** @param runsUnknown whether what nobody knows the end of may be run again. */
  claim(claim: Claim, runsUnknown: boolean): Promise<Claimed | StoreUnavailable>;
  /**
   * Writes what became of a claim, also where its record was lost meanwhile; a lease begins anew. What is `done` stays so.
   *
   * @returns whether it is still the claimant's.
   */
  write(claim: Claim, state: RecordState): Promise<boolean | StoreUnavailable>;
  /** Forgets a claim of which nothing was run. */
  release(claim: Claim): Promise<boolean | StoreUnavailable>;
}

/** How long a record is kept, in ms: one that is worked on never ends before its lease, and then as others do. */
export function lifeOf({ leaseMs, ttlMs }: Claim, state: RecordState['state']): number {
  return state === 'claimed' || state === 'sent' ? leaseMs + ttlMs : ttlMs;
}

/** Injection token of the {@link KeyRecords}. */
export const KEY_RECORDS = Symbol('KEY_RECORDS');
