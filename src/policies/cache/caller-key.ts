import { hash } from 'node:crypto';
import { certificateOf } from '../../exchange/client-connection.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { identityHeaders, isIdentityHeader } from '../../exchange/identity-headers.ts';
import { partitionOf, type Principal } from '../../exchange/principal.ts';
import { isPerRequest } from '../../exchange/reserved-names.ts';
import { editedLines } from '../transform/header-edits.ts';

/** Fields that frame the message, concern one connection, or tell caches what to do: HTTP says what they mean. */
const PROTOCOL: ReadonlySet<string> = new Set([
  'connection', 'proxy-connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'content-length', 'expect',
  'cache-control', 'pragma', 'if-none-match', 'if-modified-since', 'range', 'if-range',
]); // prettier-ignore

/** Fields by which an upstream may choose an answer for everybody, and says so by `Vary`. */
const BY_VARY: ReadonlySet<string> = new Set([
  'accept', 'accept-charset', 'accept-encoding', 'accept-language', 'content-type', 'dnt', 'origin', 'priority',
  'referer', 'save-data', 'sec-gpc', 'upgrade-insecure-requests', 'user-agent', 'via',
]); // prettier-ignore

/** The credentials of HTTP: an answer to who sends one is shared only if it says so (RFC 9111 section 3.5). */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie']);

const NONE: ReadonlySet<string> = new Set();

/** What `Connection` says of nothing but the connection. */
const NAMES_NO_FIELD = /^(?:close|keep-alive)$/i;

/** Whether answers are shared between callers. */
export type CacheScope = 'principal' | 'public';

/**
 * Makes the key under which an answer to this request may be found again: a digest, so that no credential stays in
 * memory. It holds the route, the scheme and the whole `Host`, and of the caller
 *
 * - with `principal` who it is, all that services are told of it, and every field that it sends. No list of names
 *   could tell which of them is a credential, so all of them count (fails closed); those that are another one for
 *   each request, and those of HTTP itself, do not.
 * - with `public` every field that HTTP does not know: `Vary` governs only those that it does.
 *
 * What the route removes before the request goes on does not count, nor what it says that no answer depends on; what the client has removed does, by its name: the
 * upstream never heard of a field that `Connection` lists, so its answer is none to who sends that field on.
 */
export function callerKey(
  routeId: string,
  scope: CacheScope,
  exchange: Exchange,
  ignored: ReadonlySet<string> = NONE,
): string {
  const { principal, scheme, headerEdits, request } = exchange;
  const parts = [routeId, scheme];
  if (scope === 'public') parts.push(carriesCredentials(exchange) ? 'known' : '');
  else if (principal !== undefined) parts.push(partitionOf(principal), ...identityHeaders(principal));
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (isCounted(name, scope) && !ignored.has(name) && headerEdits?.drop.has(name) !== true)
      parts.push(name, rawHeaders[i + 1] as string);
  }
  const { connection } = request.headers;
  if (connection !== undefined && !NAMES_NO_FIELD.test(connection)) parts.push('connection', connection);
  // What the route makes of the request for the upstream to see may decide about the answer, whoever shares it.
  if (headerEdits !== undefined && headerEdits.telling.length > 0)
    parts.push('edits', ...headerEdits.telling);
  if (exchange.route?.door === 'handler') parts.push('handler', ...ofHandler(exchange, scope));
  const { vouched } = exchange;
  if (vouched !== undefined && vouched.fields.length > 0) parts.push('vouched', ...vouched.fields);
  const asked = exchange.route?.action.asksBy?.(exchange);
  if (asked !== undefined) parts.push('asks', asked);
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

/**
 * What a handler may know of its caller besides what services are told: all of the principal, what its roles mean, and a
 * certificate that nobody has asked for. What everybody is given is up to the handler, which says `public`.
 */
function ofHandler({ principal, clientCertificate, route }: Exchange, scope: CacheScope): string[] {
  if (scope === 'public') return [];
  const certificate = clientCertificate?.fingerprint ?? '';
  return principal === undefined
    ? [certificate]
    : [certificate, route?.roles?.fingerprint ?? '', viewOf(principal)];
}

const views = new WeakMap<Principal, string>();

/** A digest of all that is known of a principal; made once for each. */
function viewOf(principal: Principal): string {
  let view = views.get(principal);
  if (view === undefined) {
    view = hash('sha256', JSON.stringify(principal), 'base64url');
    views.set(principal, view);
  }
  return view;
}

function isCounted(name: string, scope: CacheScope): boolean {
  if (PROTOCOL.has(name) || isPerRequest(name) || isIdentityHeader(name)) return false;
  return scope === 'principal' || !(BY_VARY.has(name) || CREDENTIALS.has(name) || isOfBrowser(name));
}

function isOfBrowser(name: string): boolean {
  return name.startsWith('sec-fetch-') || name.startsWith('sec-ch-');
}

/** Whether the upstream, or the gateway, may know by a credential of HTTP who calls. */
export function carriesCredentials({ principal, request, route }: Exchange): boolean {
  const { authorization, cookie } = request.headers;
  if (principal !== undefined || authorization !== undefined || cookie !== undefined) return true;
  // A service does not see the certificate of a client whom nobody has asked for it; a handler does.
  return route?.door === 'handler' && certificateOf(request) !== undefined;
}

/**
 * Whether `Vary` names something that neither the key nor the client's own fields tell apart: the address of the
 * client, the request, and, where principals share, who the upstream took them for.
 */
export function isBeyondKey(name: string, scope: CacheScope): boolean {
  if (isPerRequest(name)) return true;
  if (!isIdentityHeader(name) || name === 'x-forwarded-host' || name === 'x-forwarded-proto') return false;
  return scope === 'public' || !/^x-(?:user|client|tenant)-/.test(name);
}

/** A digest of what the upstream gets of the fields that an answer varies by; the empty text when there are none. */
export function variantOf(exchange: Exchange, names: readonly string[]): string {
  if (names.length === 0) return '';
  return hash('sha256', JSON.stringify(names.map((name) => valueOf(exchange, name))), 'base64url');
}

// Every line, because the parsed fields hide a second one that the upstream gets all the same. Several lines are one list
// (RFC 9110 section 5.3), in which space beside commas says nothing, unless something stands in quotes (RFC 9111 section 4.1).
function valueOf({ request: { rawHeaders }, headerEdits }: Exchange, name: string): string | undefined {
  const lines = editedLines(rawHeaders, name, headerEdits);
  if (lines.length === 0) return undefined;
  const list = lines.join(',');
  return list.includes('"') ? list : list.replaceAll(/[\t ]*,[\t ]*/g, ',').trim();
}
