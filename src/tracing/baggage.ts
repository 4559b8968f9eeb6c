/** What is passed on at most (W3C Baggage, section 3.3.2): so much every sender has to pass on, if it passes on any. */
const MOST_MEMBERS = 64;
const MOST_BYTES = 8192;

/** A member: a key, a value that is percent-encoded, and properties. Blanks have one place where there is no value: no two take turns. */
const MEMBER =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+[ \t]*)?(?:;[\x20-\x2b\x2d-\x7e\t]*)?$/;

/**
 * The members of a `baggage` field whose keys are in a list, as they came; members that cannot be read are left out, and none is
 * ever cut. Undefined for none.
 */
export function allowedBaggage(
  text: string | readonly string[] | undefined,
  allowed: ReadonlySet<string>,
): string | undefined {
  if (typeof text !== 'string' || allowed.size === 0) return undefined;
  let passed = '';
  let count = 0;
  for (const part of text.split(',')) {
    const member = part.trim();
    const key = MEMBER.exec(member)?.[1];
    if (key === undefined || !allowed.has(key)) continue;
    const more = passed === '' ? member : `${passed},${member}`;
    if (more.length > MOST_BYTES || count === MOST_MEMBERS) break;
    passed = more;
    count += 1;
  }
  return passed === '' ? undefined : passed;
}
