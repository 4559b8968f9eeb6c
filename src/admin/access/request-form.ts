import type { IncomingMessage } from 'node:http';

/** Fields that say once who asks, and what for. */
const SAID_ONCE: ReadonlySet<string> = new Set(['authorization', 'host']);
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** A request as it came. */
export type AskedForm = Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders'>;

/**
 * What of a request two readers could take for different things; undefined for nothing. Node keeps the first of several fields,
 * what stands in front of it may keep the last; of an absolute target the host counts, and not the field (RFC 9112 section 3.2.2).
 */
export function formFault({ url = '/', headers, rawHeaders }: AskedForm): string | undefined {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (!SAID_ONCE.has(name)) continue;
    if (seen.has(name)) return `expected one field ${name}, and not several`;
    seen.add(name);
  }
  const authority = ABSOLUTE.exec(url)?.[1];
  if (authority === undefined || authority.toLowerCase() === headers.host?.toLowerCase()) return undefined;
  return 'expected the host of the target in the field host';
}

/** The path and query of a target, whatever its form. */
export function pathOf(url: string): string {
  const path = url.replace(ABSOLUTE, '');
  return path.startsWith('/') || path === '*' ? path : `/${path}`;
}
