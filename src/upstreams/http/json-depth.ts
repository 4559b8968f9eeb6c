/** Deepest nesting of an answer that is read. */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}` differ from each other in one bit only. */
const CASE = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Whether JSON is nested deeper than {@link MAX_JSON_DEPTH}. `JSON.parse` and `JSON.stringify` have no such limit, and whoever
 * reads what they pass on may have a lower one.
 */
export function isTooDeep(json: Buffer): boolean {
  // Each level takes two bytes: most answers need no second look.
  if (json.length <= 2 * MAX_JSON_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] as number;
    if (byte === QUOTE) at = endOfText(json, at);
    else if (byte < 0x5b) continue;
    else if ((byte | CASE) === OPEN && ++depth > MAX_JSON_DEPTH) return true;
    else if ((byte | CASE) === CLOSE) depth -= 1;
  }
  return false;
}

/** The quote that ends a text: the next one with an even number of backslashes before it. */
function endOfText(json: Buffer, start: number): number {
  for (let end = json.indexOf(QUOTE, start + 1); end >= 0; end = json.indexOf(QUOTE, end + 1)) {
    let before = end;
    while (json[before - 1] === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 0) return end;
  }
  return json.length;
}
