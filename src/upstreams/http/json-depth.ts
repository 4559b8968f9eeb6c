/** Deepest nesting of an answer that is read. */
export const MAX_JSON_DEPTH = 128;

const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}` differ from each other in one bit only. */
const CASE = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;

/**
 * Whether JSON is nested deeper than {@link MAX_JSON_DEPTH}. `JSON.parse` and `JSON.stringify` have no such limit, and whoever
 * reads what they pass on may have a lower one.
 */
export function isTooDeep(json: string): boolean {
  // Most answers do not open so many objects and lists at all, and need no second look.
  const objects = countOf('{', json);
  return objects + countOf('[', json) > MAX_JSON_DEPTH && nestsTooDeep(json);
}

/** How often a character occurs; what is beyond the limit is not counted. */
function countOf(character: string, json: string): number {
  let count = 0;
  for (let at = json.indexOf(character); at >= 0; at = json.indexOf(character, at + 1)) {
    count += 1;
    if (count > MAX_JSON_DEPTH) break;
  }
  return count;
}

function nestsTooDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfText(json, at);
    else if (code < 0x5b) continue;
    else if ((code | CASE) === OPEN && ++depth > MAX_JSON_DEPTH) return true;
    else if ((code | CASE) === CLOSE) depth -= 1;
  }
  return false;
}

/** The quote that ends a text: the next one with an even number of backslashes before it. */
function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let before = end;
    while (json.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 0) return end;
  }
  return json.length;
}
