import { isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';
import { sessionIdOf } from './session-cookie.ts';

const NAME = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/;
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const OWN_SITES: ReadonlySet<string | undefined> = new Set([undefined, 'same-origin', 'none']);

/** Names that operators know the listener by, as `ADMIN_HOSTS` lists them. */
export interface AdminHosts {
  readonly isEmpty: boolean;
  /** Whether a field `Host` is one of them. */
  has(host: string): boolean;
  /** Whether something in front of the listener speaks TLS under that name. */
  isSecure(host: string): boolean;
}

/** Reads the names of `ADMIN_HOSTS`: `name`, `name:port`, or `https://name` where something in front speaks TLS. */
export function adminHosts(listed: readonly string[]): AdminHosts {
  const names = listed.map((one) => one.toLowerCase());
  const secure = names.flatMap((one) => (one.startsWith('https://') ? [one.slice('https://'.length)] : []));
  const all = [...names.filter((one) => !one.startsWith('https://')), ...secure];
  const isOf = (some: readonly string[], host: string): boolean =>
    some.includes(host) || some.includes(host.replace(/:\d*$/, ''));
  return {
    isEmpty: all.length === 0,
    has: (host) => isOf(all, host.toLowerCase()),
    isSecure: (host) => isOf(secure, host.toLowerCase()),
  };
}

/** A request, as far as pages in browsers are concerned. */
export interface PageFacts {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Where it was taken. */
  readonly localAddress: string | undefined;
  readonly isTls: boolean;
  /** Whether what is asked for is a page that says nothing of this gateway, and may be linked from elsewhere. */
  readonly isPage: boolean;
}

const STRANGE_HOST =
  'expected an IP address, a name without a dot, or one of ADMIN_HOSTS in Host; add the name to ADMIN_HOSTS if it is yours';
const STRANGE_PAGE =
  'pages in browsers may give no orders, and read nothing, but those of this listener; ADMIN_HOSTS names what else it is called';
const PLAIN_WRITE =
  'expected content-type: application/json and x-gatehouse-admin: console of a page that gives orders';
const BARE_ORDER =
  'expected a header field x-gatehouse-admin, whatever its value, or content-type: application/json, of an order';

/**
 * What is wrong with a request of a page in the browser of an operator; undefined for one of the listener's own pages, and for
 * what no page sends. Fails closed: browsers say the origin with every order, also those of a page whose name leads here only
 * since it was loaded; what such a page reads is known by that name, which on loopback nobody else has a use for.
 */
export function pageFault(facts: PageFacts, hosts: AdminHosts): string | undefined {
  const { method, headers, localAddress, isTls, isPage } = facts;
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  const isKnown = isOwnName(host) || hosts.has(host);
  if (!isKnown && (isLoopback(localAddress) || !hosts.isEmpty)) return STRANGE_HOST;
  const isOfPage = origin !== undefined || site !== undefined;
  if (origin !== undefined && !(isKnown && isOwnOrigin(origin, host, facts, hosts))) return STRANGE_PAGE;
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (!OWN_SITES.has(site as string) && !(isPage && isLink && READING.has(method))) return STRANGE_PAGE;
  // What a browser sends by itself.
  const isAmbient = headers.authorization === undefined && sessionIdOf(headers.cookie, isTls) !== undefined;
  if (READING.has(method)) return undefined;
  if (!(isOfPage || isAmbient)) return isBare(facts) ? BARE_ORDER : undefined;
  // A form of another site can send neither of them without being asked for leave, which nobody is given.
  return isJson(headers) && headers['x-gatehouse-admin'] === 'console' ? undefined : PLAIN_WRITE;
}

// All that a browser sends for a page of another site without asking for leave, were the page to hide where it is from. Bodies
// of other types are refused by whoever would have to read them.
function isBare({ method, headers }: PageFacts): boolean {
  if (method !== 'POST' || headers['content-type'] !== undefined) return false;
  return headers['x-gatehouse-admin'] === undefined && headers.authorization === undefined;
}

/** Whether a body is said to be JSON, which no form of another site can. */
export function isJson(headers: IncomingHttpHeaders): boolean {
  return /^application\/json *(?:;|$)/i.test(headers['content-type'] ?? '');
}

function isOwnOrigin(origin: string, host: string, { isTls }: PageFacts, hosts: AdminHosts): boolean {
  const scheme = isTls || hosts.isSecure(host) ? 'https' : 'http';
  return origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`;
}

function isLoopback(address = ''): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

/** Whether no stranger can have made a host lead here: an address, or a name that no public zone has. */
function isOwnName(host: string): boolean {
  const name = NAME.exec(host)?.[1]
    ?.toLowerCase()
    .replace(/^\[|\]$/g, '');
  if (name === undefined) return false;
  return isIP(name) > 0 || !name.includes('.') || name.endsWith('.localhost');
}
