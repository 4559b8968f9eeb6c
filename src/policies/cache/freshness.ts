/** What a response's own fields say about storing it (RFC 9111). */
export interface Freshness {
  readonly storable: boolean;
  /** How long it is fresh in ms; undefined when the response does not say. */
  readonly freshMs: number | undefined;
}

const NOT_STORABLE: Freshness = { storable: false, freshMs: undefined };

/** Statuses that may be stored without the response saying so, of those that a gateway meets often. */
const STORABLE_STATUS: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 404, 405, 410, 414]);

/**
 * Reads `Cache-Control`, `Vary` and `Set-Cookie` of a response.
 *
 * @param shared whether the entry would be shared between principals: then it needs `public` or `s-maxage`
 *   when the request was authenticated (RFC 9111 section 3.5), and `private` forbids it.
 */
export function freshnessOf(
  status: number,
  headers: readonly string[],
  shared: { readonly entry: boolean; readonly authenticated: boolean },
): Freshness {
  if (!STORABLE_STATUS.has(status)) return NOT_STORABLE;
  // A cookie belongs to one client; `Vary` would need a second key that this store does not have.
  if (fieldOf(headers, 'set-cookie') !== undefined || fieldOf(headers, 'vary') === '*') return NOT_STORABLE;
  const directives = parseCacheControl(fieldOf(headers, 'cache-control'));
  if (directives.has('no-store') || directives.has('no-cache')) return NOT_STORABLE;
  if (shared.entry && directives.has('private')) return NOT_STORABLE;
  if (shared.entry && shared.authenticated && !directives.has('public') && !directives.has('s-maxage')) {
    return NOT_STORABLE;
  }
  const seconds = (shared.entry ? directives.get('s-maxage') : undefined) ?? directives.get('max-age');
  return { storable: true, freshMs: seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1000) };
}

/** Parses `Cache-Control` into directives by lower-case name. */
export function parseCacheControl(value: string | undefined): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const part of value?.split(',') ?? []) {
    const [name = '', argument = ''] = part.trim().split('=');
    directives.set(name.toLowerCase(), argument.replaceAll('"', ''));
  }
  return directives;
}

/** The value of a field in a flat list. */
export function fieldOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]?.toLowerCase() === name) return headers[i + 1];
  return undefined;
}
