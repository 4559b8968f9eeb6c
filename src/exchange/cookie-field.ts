/**
 * The value of a cookie in a `Cookie` field (RFC 6265 section 5.4), as it came; the first where there are several.
 * Undefined for none, and for an empty one.
 */
export function cookieOf(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined;
  for (let start = 0; start < field.length;) {
    const semicolon = field.indexOf(';', start);
    const end = semicolon < 0 ? field.length : semicolon;
    if (isNamed(field, start, end, name)) {
      const value = field.slice(field.indexOf('=', start) + 1, end).trim();
      return value === '' ? undefined : value;
    }
    start = end + 1;
  }
  return undefined;
}

/** Where a flat list with names in lower case sets a cookie (RFC 6265 section 4.1); -1 for nowhere. */
export function setCookieAt(fields: readonly string[], name: string): number {
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i] === 'set-cookie' && fields[i + 1]?.startsWith(`${name}=`) === true) return i;
  return -1;
}

/** Sets a cookie in a flat list, in place of another value of it: an answer sets each once. */
export function setCookie(fields: string[], cookie: string): void {
  const at = setCookieAt(fields, cookie.slice(0, cookie.indexOf('=')));
  if (at < 0) fields.push('set-cookie', cookie);
  else fields[at + 1] = cookie;
}

/** Takes a cookie out of the `Cookie` fields of a flat list with names in lower case; a field that held no other one goes too. */
export function removeCookie(fields: string[], name: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if (fields[i] !== 'cookie') continue;
    const field = fields[i + 1] as string;
    if (!field.includes(name)) continue;
    const kept = field.split(';').filter((pair) => !isNamed(pair, 0, pair.length, name));
    const text = kept.join(';').trim();
    if (text === '') fields.splice(i, 2);
    else fields[i + 1] = text;
  }
}

function isNamed(field: string, start: number, end: number, name: string): boolean {
  const equals = field.indexOf('=', start);
  if (equals < 0 || equals >= end) return false;
  return field.slice(start, equals).trim() === name;
}
