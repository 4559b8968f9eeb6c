/**
 * Fields that Node's HTTP/2 takes once in a message, and throws for otherwise. Services do say them twice, and HTTP/1.1
 * passes that on.
 */
const SINGLE: ReadonlySet<string> = new Set([
  'access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age',
  'authorization', 'content-encoding', 'content-language', 'content-length', 'content-location', 'content-md5',
  'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host', 'if-match',
  'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'location',
  'max-forwards', 'proxy-authorization', 'range', 'referer', 'retry-after', 'tk', 'upgrade-insecure-requests',
  'user-agent', 'x-content-type-options',
]); // prettier-ignore

/** Leaves of each such field the first one, as the parser of HTTP/1.1 does. @param lines names in lower case and values, flat. */
export function firstOfSingles(lines: readonly string[]): string[] {
  const seen = new Set<string>();
  return lines.filter((_, at) => {
    const name = lines[at - (at % 2)] as string;
    if (!SINGLE.has(name)) return true;
    if (at % 2 === 1) return seen.has(`${name}:${at - 1}`);
    const isFirst = !seen.has(name);
    if (isFirst) seen.add(name).add(`${name}:${at}`);
    return isFirst;
  });
}
