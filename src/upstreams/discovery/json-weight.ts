/** Most that an answer of a registry may weigh, see {@link jsonWeight}: ten thousand targets with all that is said of them. */
export const MAX_WEIGHT = 256 * 1024 * 1024;

/** What each object, list and member is thought to take beside its text. */
const BYTES_EACH = 64;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/**
 * About how many bytes a JSON text takes once it is parsed. A text can be small and become a hundred times as large, as
 * `[{},{},…]` does: that is to be known before it is parsed.
 */
export function jsonWeight(text: Buffer): number {
  let weight = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const byte = text[i];
    if (byte === COMMA || byte === BRACE || byte === BRACKET) weight += BYTES_EACH;
  }
  return weight;
}
