/**
 * What a text of JSON may have in it as it is, and a terminal or an editor does not show as a character: what controls 8-bit
 * terminals (U+009B begins an escape sequence), ends lines for some readers (U+0085, U+2028), turns lines around or is not seen.
 */
const UNSEEN = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]--[\t\n\r]]/gv;
const HEX_DIGITS = 4;

/** A text of JSON in which such characters of strings are escaped: the same value, with nothing in it that is not seen. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (found) => {
    let escaped = '';
    for (let i = 0; i < found.length; i += 1)
      escaped += `\\u${found.charCodeAt(i).toString(16).padStart(HEX_DIGITS, '0')}`;
    return escaped;
  });
}
