import type { IncomingMessage } from 'node:http';

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
  const { headers, rawHeaders } = request;
  if (headers.cookie?.includes(base) !== true) return;
  const lifted = new Map<string, string | null>();
  const rest = without(headers.cookie, base, lifted);
  if (lifted.size === 0) return;
  (request as Lifted)[LIFTED] = lifted;
  if (rest === '') delete headers.cookie;
  else headers.cookie = rest;
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'cookie') continue;
    const kept = without(rawHeaders[i + 1] as string, base);
    if (kept === '') rawHeaders.splice(i, 2);
    else rawHeaders[i + 1] = kept;
  }
}

function without(field: string, base: string, lifted?: Map<string, string | null>): string {
  const kept = field.split(';').filter((pair) => {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals < 0 ? pair.length : equals).trim();
    if (!name.startsWith(base)) return true;
    if (name.length > base.length && !OTHERS.test(name.slice(base.length))) return true;
    // Twice: somebody else has set one of them (RFC 6265 section 8.6), and which one cannot be told.
    lifted?.set(name, lifted.has(name) || equals < 0 ? null : pair.slice(equals + 1).trim());
    return false;
  });
  return kept.join(';').trim();
}
