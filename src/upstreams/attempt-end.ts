import type { RetryCause } from './retry-policy.ts';

/** How an attempt ended, as far as another one is concerned. */
export interface AttemptEnd {
  /** What `retry.on` calls it; undefined for what is never tried again. */
  readonly retry: RetryCause | undefined;
  /** Whether the target has certainly not begun with it: even what has effects may be repeated then. */
  readonly untouched?: boolean | undefined;
  /** Whether it was the connection that failed and not the service: the same target may do when it is asked again. */
  readonly isConnection?: boolean | undefined;
  /** When the target wants to be asked again, in ms from now. */
  readonly afterMs?: number | undefined;
}
