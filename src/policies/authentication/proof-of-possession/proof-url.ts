const TRIPLET = /%([0-9A-Fa-f]{2})/g;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** Visible ASCII without what parsers of URLs read in two ways. */
const PLAIN = /^https?:\/\/[^\s\\"<>^`{|}\u0080-\uffff]+$/i;

/**
 * A URL as proofs are compared by: without query and fragment, in normal form (RFC 3986 sections 6.2.2 and 6.2.3). Undefined
 * for what is no URL of HTTP.
 */
export function comparableUrl(text: string): string | undefined {
  const url = PLAIN.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  return url.origin + comparablePath(url.pathname);
}

/** A path in the same form. */
export function comparablePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(TRIPLET, (triplet, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
}
