import type { IncomingMessage } from 'node:http';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/** The method that a preflight of a browser asks for (Fetch standard, section 3.3.2); undefined for any other request. */
export function preflightMethod({
  method,
  headers,
}: Pick<IncomingMessage, 'method' | 'headers'>): string | undefined {
  if (method !== 'OPTIONS' || headers.origin === undefined) return undefined;
  const asked = headers['access-control-request-method'];
  return asked !== undefined && TOKEN.test(asked) ? asked : undefined;
}
