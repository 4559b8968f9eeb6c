import type { IncomingMessage } from 'node:http';
import { takeCookies } from '../../../exchange/taken-lines.ts';

/** What follows the name of the session's cookie in the names of the others. */
const OTHERS = /^(?:\.\d|-login-[\w-]{1,16})$/;

/** The cookies of the log-in that a request brought; null for one that was there twice. */
export type LiftedCookies = ReadonlyMap<string, string | null>;

const LIFTED = Symbol('cookies of the log-in');

interface Lifted {
  [LIFTED]?: LiftedCookies;
}

/** The cookies of the log-in that were taken out of a request; undefined for none. */
export function liftedCookies(request: IncomingMessage): LiftedCookies | undefined {
  return (request as Lifted)[LIFTED];
}

/**
 * Takes the cookies of the log-in out of a request, so that nobody behind sees one: no service, no cache, no condition, no
 * handler, no service that is asked.
 *
 * @param base the name of the session's cookie.
 */
export function liftCookies(request: IncomingMessage, base: string): void {
  if (request.headers.cookie?.includes(base) !== true) return;
  const lifted = new Map<string, string | null>();
  for (const pair of takeCookies(request, (name) => isOfLogin(name, base))) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals < 0 ? pair.length : equals).trim();
    // Twice: somebody else has set one of them (RFC 6265 section 8.6), and which one cannot be told.
    lifted.set(name, lifted.has(name) || equals < 0 ? null : pair.slice(equals + 1).trim());
  }
  if (lifted.size > 0) (request as Lifted)[LIFTED] = lifted;
}

function isOfLogin(name: string, base: string): boolean {
  if (!name.startsWith(base)) return false;
  return name.length === base.length || OTHERS.test(name.slice(base.length));
}
