import { isDotSegment } from '../upstreams/http/path-value.ts';

const SUSPECT = /[%\\#]|\/\/|\/\.|[^\x21-\x7e]/;
/** A segment of which nothing is to be seen but dots. */
const DOT = /\/(?:%[0-9A-F]{2})*\.{1,2}(?:[/;%]|$)/;
const TRIPLET = /%([0-9A-Fa-f]{2})/g;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ENCODED_SLASH = '%2F';
const MAX_LITERAL_CONTROL = 0x20;
const DELETE = 0x7f;

/** Splits a request target into path and query; the query keeps its `?`. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark) };
}

/**
 * Brings the path of a request into its normal form (RFC 3986 section 6.2.2), so that what is matched, what is
 * authorized and what the upstream sees are one and the same path. Returns undefined for a path that two
 * servers could read differently: encoded slashes, backslashes and control characters, dot segments, empty
 * segments, fragments, percent-encodings that are invalid or no UTF-8. Those are refused, not repaired: fail closed.
 *
 * @param slashes `keep` leaves encoded slashes to whoever finds the route, which may take them; they are no way to a dot
 *   segment.
 */
export function normalizePath(path: string, slashes: 'refuse' | 'keep' = 'refuse'): string | undefined {
  if (path.charCodeAt(0) !== 0x2f) return undefined;
  if (!SUSPECT.test(path)) return path;
  const decoded = path.includes('%') ? decodeUnreserved(path) : path;
  if (decoded === undefined || /[\\#]|[^\x21-\x7e]|\/\//.test(decoded)) return undefined;
  if (!hasEncodedSlash(decoded)) return hasDots(decoded) ? undefined : decoded;
  return slashes === 'refuse' || hasDots(decoded.replaceAll(ENCODED_SLASH, '/')) ? undefined : decoded;
}

/** Whether a path in its normal form has an encoded slash, which only a route that says so takes. */
export function hasEncodedSlash(path: string): boolean {
  return path.includes(ENCODED_SLASH);
}

function hasDots(path: string): boolean {
  return DOT.test(path) && path.split('/').some(isDotted);
}

// It is UTF-8: that was looked at.
function isDotted(segment: string): boolean {
  return isDotSegment(segment.includes('%') ? decodeURIComponent(segment) : segment);
}

function decodeUnreserved(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  let safe = true;
  const decoded = path.replace(TRIPLET, (triplet, hex: string) => {
    const code = Number.parseInt(hex, 16);
    const character = String.fromCharCode(code);
    if (character === '\\' || code < MAX_LITERAL_CONTROL || code === DELETE) safe = false;
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
  return safe && isUtf8(decoded) ? decoded : undefined;
}

// The router decodes what it matches; what it cannot decode it would refuse by itself, without an exchange.
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * What a lenient server may read a normal path as: percent-decoded, without path parameters, in lower case. Two paths
 * with one folded form may be one and the same to whom they are forwarded.
 */
export function foldPath(path: string): string {
  if (!path.includes('%')) return withoutParameters(path).toLowerCase();
  const decoded = decodeURIComponent(path);
  // Whoever decodes slashes mostly merges those that stand together after that.
  const merged = hasEncodedSlash(path) ? decoded.replace(/\/{2,}/g, '/') : decoded;
  return withoutParameters(merged).toLowerCase();
}

/**
 * A path without its path parameters (RFC 3986 section 3.3). A segment that was nothing else goes with them, because
 * servers that drop parameters mostly merge slashes after that: `/;x/admin` is `/admin` to them.
 */
export function withoutParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '').replace(/\/{2,}/g, '/') : path;
}
