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

/** The subprotocols that a handshake offers, without a token among them: that is for the gateway, and no name to choose. */
export function offeredProtocols(header: string | undefined): string[] {
  const names = (header ?? '').split(',').map((item) => item.trim());
  return names.filter((name) => name !== '' && !name.startsWith(BEARER));
}
