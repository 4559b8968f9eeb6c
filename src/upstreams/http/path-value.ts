/** Around a dot segment servers trim what nobody sees; what follows a semicolon they take off. */
const DOT_SEGMENT = /^[\s\p{Cf}]*\.{1,2}[\s\p{Cf}]*(?:;|$)/u;
/** A dot, a separator, a blank or a semicolon that is encoded, once or several times. */
const ENCODED = /%(?:25)*(2e|2f|5c|3b|20|09|0a|0b|0c|0d|c2%(?:25)*a0)/gi;
const SEPARATOR = /[/\\]/;

/** Whether a decoded segment of a path is `.` or `..`, also for a server that trims segments or takes off parameters. */
export function isDotSegment(segment: string): boolean {
  return segment.includes('.') && DOT_SEGMENT.test(segment);
}

/**
 * Whether a value would be `.` or `..` as a segment of a path, or have such a part for a server that decodes slashes
 * before it looks at the path, also for one that decodes twice. It has no encoding that says otherwise: such a value is
 * refused.
 */
export function isDotValue(value: string): boolean {
  if (!value.includes('.') && !value.includes('%')) return false;
  const plain = value.includes('%') ? value.replace(ENCODED, decoded) : value;
  return plain.split(SEPARATOR).some(isDotSegment);
}

const PLAIN: Readonly<Record<string, string>> = { '2e': '.', '2f': '/', '5c': '/', '3b': ';' };

function decoded(_: string, code: string): string {
  const name = code.toLowerCase();
  return PLAIN[name] ?? ' ';
}
