import { validateHeaderName, validateHeaderValue, type OutgoingHttpHeader } from 'node:http';

/** What is of one connection of HTTP/1.1 and has no meaning in HTTP/2 (RFC 9113 section 8.2.2). */
const OF_HTTP1: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);

/** Fields of a flat list, or of a list of pairs, as pairs. */
export function pairsOf(flat: readonly OutgoingHttpHeader[]): [string, unknown][] {
  if (Array.isArray(flat[0])) return flat as unknown as [string, unknown][];
  const pairs: [string, unknown][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([String(flat[i]), flat[i + 1]]);
  return pairs;
}

/** Fields as HTTP/2 has them: names in lower case, a line for each value, and nothing of HTTP/1.1. */
export function linesOf(entries: readonly (readonly [string, unknown])[]): string[] {
  const lines: string[] = [];
  for (const [given, value] of entries) {
    const name = given.toLowerCase();
    if (OF_HTTP1.has(name) || value === undefined) continue;
    validateHeaderName(name);
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const text = String(one);
      validateHeaderValue(name, text);
      lines.push(name, text);
    }
  }
  return lines;
}

/** Whether lines of a head say how long the body is. */
export function hasLength(lines: readonly string[]): boolean {
  for (let i = 0; i < lines.length; i += 2) if (lines[i] === 'content-length') return true;
  return false;
}
