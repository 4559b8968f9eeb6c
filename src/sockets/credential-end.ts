import type { Exchange } from '../exchange/exchange.ts';
import { credentialEndMs } from '../exchange/principal.ts';
import { Problem } from '../problems/problem.ts';

/** Timers of Node hold no longer than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How long the credential of a socket or a stream is good, in ms from now; `Infinity` for one without an end. */
export function credentialLeftMs({ principal }: Exchange): number {
  if (principal === undefined) return Infinity;
  return Math.max(0, credentialEndMs(principal) - Date.now());
}

/** What a WebSocket is told. */
export const EXPIRED = 'The token has expired';

/**
 * Has a socket or a stream end when its credential does, whichever of several is the first, and makes that a fact of its
 * exchange: its line of the log and the audit say `credentials-expired`, and it is counted by route.
 *
 * @param end ends it in its own way.
 * @returns to be called when it has ended otherwise.
 */
export function endWithCredential(exchange: Exchange, end: (problem: Problem) => void): () => void {
  exchange.endsItself = true;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const leftMs = credentialLeftMs(exchange);
    if (leftMs !== Infinity) timer = setTimeout(look, Math.min(leftMs, LONGEST_TIMER_MS));
  };
  const look = (): void => {
    if (credentialLeftMs(exchange) > 0) return wait();
    const problem = new Problem('credentials-expired', { detail: `${EXPIRED}.` });
    exchange.problem ??= problem;
    exchange.route?.metrics.credentialEnded();
    end(problem);
  };
  wait();
  return () => clearTimeout(timer);
}
