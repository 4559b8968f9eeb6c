import { Problem } from '../problems/problem.ts';
import type { Exchange } from './exchange.ts';

/** Of callers who came without a credential where none is needed: what they are asked for when something needs to know them. */
const offered = new WeakMap<Exchange, string>();

/** Notes what somebody who may call as nobody would have to prove. @param challenge of `WWW-Authenticate` (RFC 9110 section 11.6.1). */
export function offerChallenge(exchange: Exchange, challenge: string): void {
  offered.set(exchange, challenge);
}

/**
 * The refusal of a caller whom nobody knows, by something that needs to know: 401 where it could have said who it is, and 403
 * where nobody is asked.
 *
 * @param by what refuses; logged, never sent.
 */
export function refusalOfNobody(exchange: Exchange, by: string): Problem {
  const challenge = offered.get(exchange);
  return challenge === undefined
    ? new Problem('permission-denied', { by })
    : new Problem('credentials-missing', { by, headers: { 'www-authenticate': challenge } });
}
