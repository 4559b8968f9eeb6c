import { Problem } from '../../problems/problem.ts';

/** How soon to ask again; connections come and go. */
const RETRY_AFTER_SECONDS = '1';

/** Nothing was sent, because all connections to a target were in use for longer than a call may wait. */
export class NoFreeConnection extends Error {
  constructor() {
    super('no connection to the target became free in time');
  }
}

/** What the caller is told then: a target that is full is none that is available. */
export function noFreeConnection(cause: unknown): Problem {
  return new Problem('no-available-target', { cause, headers: { 'retry-after': RETRY_AFTER_SECONDS } });
}
