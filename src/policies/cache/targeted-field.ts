import { fieldsOf } from '../../exchange/field-list.ts';

const KEY = '[a-z*][a-z0-9_.*-]*';
/** A string of structured fields (RFC 9651), as a pattern. */
export const STRING = String.raw`"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"`;
const NUMBER = String.raw`-?(?:\d{1,12}\.\d{1,3}|\d{1,15})`;
const TOKEN = String.raw`[A-Za-z*][!#$%&'*+.^_\`|~0-9A-Za-z:/-]*`;
const BARE = String.raw`(?:${STRING}|${NUMBER}|${TOKEN}|:[A-Za-z0-9+/=]*:|\?[01]|@-?\d{1,15})`;
/** Parameters of an item of structured fields, as a pattern. */
export const PARAMETERS = String.raw`(?:;\x20*${KEY}(?:=${BARE})?)*`;
const INNER = String.raw`\(\x20*(?:${BARE}${PARAMETERS}(?:\x20+${BARE}${PARAMETERS})*)?\x20*\)`;
const MEMBER = new RegExp(String.raw`(${KEY})(?:=(${INNER}|${BARE}))?${PARAMETERS}`, 'y');
const COMMA = /[\t ]*,[\t ]*/y;
const MAX_LENGTH = 4096;

/** Directives with a number of seconds. */
const TIMES: ReadonlySet<string> = new Set([
  'max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error',
]); // prettier-ignore

/**
 * The directives of the first targeted field that a response has and that can be read (RFC 9213 section 2.2): they take the
 * place of `Cache-Control` and `Expires`. Undefined for none.
 *
 * @param names in lower case, the one that counts most first.
 */
export function targetedDirectives(
  headers: readonly string[],
  names: readonly string[],
): ReadonlyMap<string, string> | undefined {
  for (const name of names) {
    const lines = fieldsOf(headers, name);
    const directives = lines.length === 0 ? undefined : parseDictionary(lines.join(', '));
    if (directives !== undefined && directives.size > 0) return directives;
  }
  return undefined;
}

/**
 * Reads a dictionary of structured fields (RFC 9651 section 4.2.2) into directives as those of `Cache-Control`; a member of
 * the wrong type is none. Of a key that is there twice the last one counts.
 *
 * @returns undefined for what is no such dictionary.
 */
function parseDictionary(text: string): ReadonlyMap<string, string> | undefined {
  const directives = new Map<string, string>();
  const end = text.trimEnd().length;
  // Nobody has so much to say to caches.
  if (end > MAX_LENGTH) return undefined;
  let at = text.length - text.trimStart().length;
  while (at < end) {
    MEMBER.lastIndex = at;
    const member = MEMBER.exec(text);
    if (member === null) return undefined;
    take(directives, member[1] as string, member[2]);
    at = MEMBER.lastIndex;
    if (at >= end) return directives;
    COMMA.lastIndex = at;
    // A comma at the end is not one of a dictionary either.
    if (!COMMA.test(text) || COMMA.lastIndex >= end) return undefined;
    at = COMMA.lastIndex;
  }
  return directives;
}

function take(directives: Map<string, string>, key: string, value: string | undefined): void {
  directives.delete(key);
  const isTime = TIMES.has(key);
  if (isTime ? value !== undefined && /^\d+$/.test(value) : value === undefined || value === '?1')
    directives.set(key, isTime ? (value as string) : '');
}
