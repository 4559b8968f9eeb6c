/** A character set that has not the characters of JSON where UTF-8 has them; those of ASCII and one byte have. */
const FOREIGN =
  /;\s*charset\s*=\s*(?!"?(?:utf-?8|(?:us-)?ascii|latin-?1|iso-8859-\d{1,2}|windows-125\d)"?\s*(?:;|$))/i;

/**
 * Whether a media type says that its text is in a character set in which the same bytes could be other JSON, such as UTF-7:
 * what was read of it as UTF-8 is not what a reader would read that believes it.
 */
export function hasForeignCharset(type: string): boolean {
  return FOREIGN.test(type);
}
