/** Of these `node:http` keeps the first and drops the others, which are forwarded nevertheless. */
export const KEPT_ONCE: ReadonlySet<string> = new Set(
  `age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since
  last-modified location max-forwards proxy-authorization referer retry-after server user-agent`.split(/\s+/),
);

/** Whether one of these fields, in lower case, stands more than once in a flat list of names and values. */
export function repeatedFields(rawHeaders: readonly string[], names: ReadonlySet<string>): boolean {
  let seen: Set<string> | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!names.has(name)) continue;
    if (seen?.has(name) === true) return true;
    (seen ??= new Set()).add(name);
  }
  return false;
}
