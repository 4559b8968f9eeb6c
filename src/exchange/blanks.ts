const SPACE = 0x20;
const TAB = 0x09;

/**
 * A value of a header field, or a part of one, without the blanks around it (RFC 9110 section 5.6.3): spaces and tabs, and not what
 * JavaScript takes for space, which is more. Looks at each character once; a pattern that ends with blanks would begin anew at each.
 */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return end - start === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
