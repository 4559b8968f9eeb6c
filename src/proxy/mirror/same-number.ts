const PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Longer exponents cannot be reckoned with exactly. */
const MOST_EXPONENT_DIGITS = 14;
const ZERO = 0x30;

/** Whether two numbers of JSON are the same one exactly, however they are written: `1.0` is `1e0`. @param a as it is written. */
export function isSameNumber(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

function canonical(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = PARTS.exec(text) ?? [];
  if (exponent.length > MOST_EXPONENT_DIGITS) return text;
  const digits = whole + fraction;
  // No expression: those for zeros at the end look at each run of zeros again and again.
  let start = 0;
  while (digits.charCodeAt(start) === ZERO) start += 1;
  let end = digits.length;
  while (end > start && digits.charCodeAt(end - 1) === ZERO) end -= 1;
  if (start === end) return '0';
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
