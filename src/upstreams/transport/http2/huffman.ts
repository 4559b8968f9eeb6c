/** The symbols of each length of code in bits, in the order of their codes (RFC 7541 appendix B): the code is canonical. */
const SYMBOLS: Readonly<Record<number, readonly number[]>> = {
  5: codesOf('012aceiost'),
  6: codesOf(' %-./3456789=A_bdfghlmnpru'),
  7: codesOf(':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'),
  8: codesOf('&*,;XZ'),
  10: codesOf('!"()?'),
  11: codesOf("'+|"),
  12: codesOf('#>'),
  13: codesOf('\x00$@[]~'),
  14: codesOf('^}'),
  15: codesOf('<`{'),
  19: codesOf('\\\xc3\xd0'),
  20: codesOf('\x80\x82\x83\xa2\xb8\xc2\xe0\xe2'),
  21: codesOf('\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6'),
  22: codesOf(
    '\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9',
  ),
  23: codesOf(
    '\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf\xc5\xe7\xef',
  ),
  24: codesOf('\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed'),
  25: codesOf('\xc7\xcf\xea\xeb'),
  26: codesOf('\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff'),
  27: codesOf('\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe'),
  28: codesOf(
    '\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f\xdc\xf9',
  ),
  // The last one, all bits set, ends nothing: a text that holds it is malformed.
  30: [...codesOf('\x0a\x0d\x16'), 256],
};
const LONGEST = 30;
const END_OF_TEXT = 256;

/** The first code of each length. */
const FIRST = firstCodes();

/**
 * Reads a text in the Huffman code of header fields (RFC 7541 section 5.2), one character for each byte.
 *
 * @throws {Error} when it is malformed.
 */
export function huffmanText(bytes: Uint8Array): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = (code << 1) | ((byte >> bit) & 1);
      length += 1;
      if (length > LONGEST) throw new Error('a header field is coded wrongly');
      const symbol = SYMBOLS[length]?.[code - (FIRST[length] as number)];
      if (symbol === undefined) continue;
      if (symbol === END_OF_TEXT) throw new Error('a header field holds the end of its text');
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  // Less than a byte, and all ones.
  if (length > 7 || code !== (1 << length) - 1) throw new Error('a header field has wrong padding');
  return text;
}

function codesOf(text: string): readonly number[] {
  return Array.from(text, (one) => one.charCodeAt(0));
}

function firstCodes(): readonly number[] {
  const first: number[] = [0];
  for (let length = 1; length <= LONGEST; length += 1) {
    const before = length - 1;
    first[length] = ((first[before] as number) + (SYMBOLS[before]?.length ?? 0)) << 1;
  }
  return first;
}
