const BEARER = 'bearer.';

/**
 * The token that a browser sends among the subprotocols of a handshake, as `bearer.<token>`: the one place of it that
 * a page can fill in. It is never among those that the answer names.
 */
export function bearerOfProtocols(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  for (const item of header.split(',')) {
    const name = item.trim();
    if (name.length > BEARER.length && name.startsWith(BEARER)) return name.slice(BEARER.length);
  }
  return undefined;
}
