import { takeCookies, type FieldPlaces } from './taken-lines.ts';

/** What a session of the operators' listener is called in its cookie: without TLS, and with it. */
export const SESSION_COOKIES = ['gatehouse-admin', '__Host-gatehouse-admin'] as const;

const NAMES: ReadonlySet<string> = new Set(SESSION_COOKIES);
const COMMON = SESSION_COOKIES[0];

/**
 * Takes the session of an operator out of a request to the clients' listeners. Cookies know no ports: a browser sends those of the
 * operators' listener to every other one of the same host, where they are nobody's: no handler, condition, template or service sees one.
 */
export function dropOperatorsCookies(request: FieldPlaces): void {
  if (request.headers.cookie?.includes(COMMON) === true) takeCookies(request, (name) => NAMES.has(name));
}
