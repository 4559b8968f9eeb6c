const MOST = 2048;
const OWN = 'https://own.invalid';
/** What is no visible ASCII, a backslash, and the escapes of either and of a second slash. */
const ODD = /[^!-[\]-~]|%(?:[01][0-9a-f]|7f|5c|2f(?=%2f|\/))/i;

/**
 * A path of our own origin; undefined for anything that some browser may read as another place: `//host`, `/\host`, white
 * space and control characters, also percent-encoded, or another origin.
 */
export function ownPath(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length > MOST) return undefined;
  if (!text.startsWith('/') || text[1] === '/' || ODD.test(text)) return undefined;
  const url = URL.parse(text, OWN);
  if (url === null || url.origin !== OWN || url.pathname.startsWith('//')) return undefined;
  return url.pathname + url.search + url.hash;
}
