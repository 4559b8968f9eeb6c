/** What a response's own fields say about storing it (RFC 9111). */
export interface Freshness {
  readonly storable: boolean;
  /** How long it is fresh from now in ms; undefined when the response does not say. */
  readonly freshMs: number | undefined;
  /** Whether it may stand in when it is no longer fresh. */
  readonly mayBeStale: boolean;
}

const NOT_STORABLE: Freshness = { storable: false, freshMs: undefined, mayBeStale: false };

/** Statuses that may be stored without the response saying so, of those that a gateway meets often. */
const STORABLE_STATUS: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 404, 405, 410, 414]);

/**
 * Reads `Cache-Control`, `Expires`, `Age`, `Vary` and `Set-Cookie` of a response.
 *
 * @param shared whether the entry would be shared between principals: then it needs `public` or `s-maxage`
 *   when the request carried credentials (RFC 9111 section 3.5), and `private` forbids it.
 */
export function freshnessOf(
  status: number,
  headers: readonly string[],
  shared: { readonly entry: boolean; readonly authenticated: boolean },
): Freshness {
  if (!STORABLE_STATUS.has(status)) return NOT_STORABLE;
  // A cookie belongs to one client; `Vary: *` depends on more than this store can know.
  if (fieldOf(headers, 'set-cookie') !== undefined || varyNames(headers).includes('*')) return NOT_STORABLE;
  const directives = parseCacheControl(listOf(headers, 'cache-control'));
  if (directives.has('no-store') || directives.has('no-cache')) return NOT_STORABLE;
  if (shared.entry && directives.has('private')) return NOT_STORABLE;
  if (shared.entry && shared.authenticated && !directives.has('public') && !directives.has('s-maxage')) {
    return NOT_STORABLE;
  }
  return {
    storable: true,
    freshMs: freshMsOf(headers, directives, shared.entry),
    mayBeStale: !directives.has('must-revalidate') && !(shared.entry && directives.has('proxy-revalidate')),
  };
}

// `s-maxage`, then `max-age`, then `Expires` (RFC 9111 section 4.2.1), less the age it already has. What cannot be
// read counts as stale.
function freshMsOf(
  headers: readonly string[],
  directives: ReadonlyMap<string, string>,
  sharedEntry: boolean,
): number | undefined {
  const age = ageMsOf(headers);
  const seconds = (sharedEntry ? directives.get('s-maxage') : undefined) ?? directives.get('max-age');
  if (seconds !== undefined) return /^\d+$/.test(seconds) ? Math.max(0, Number(seconds) * 1000 - age) : 0;
  const expires = fieldOf(headers, 'expires');
  if (expires === undefined) return undefined;
  const lifetime = Date.parse(expires) - Date.parse(fieldOf(headers, 'date') ?? new Date().toUTCString());
  return Number.isNaN(lifetime) ? 0 : Math.max(0, lifetime - age);
}

/** The `Age` of a response in ms: how long caches before us have held it. */
export function ageMsOf(headers: readonly string[]): number {
  const age = fieldOf(headers, 'age');
  return age !== undefined && /^\d+$/.test(age) ? Number(age) * 1000 : 0;
}

/** The request fields that a response depends on, in lower case. */
export function varyNames(headers: readonly string[]): string[] {
  return (listOf(headers, 'vary') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** Parses `Cache-Control` into directives by lower-case name. */
export function parseCacheControl(value: string | undefined): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const part of value?.split(',') ?? []) {
    const [name = '', argument = ''] = part.split('=');
    directives.set(name.trim().toLowerCase(), argument.replaceAll('"', '').trim());
  }
  return directives;
}

/** The value of a field in a flat list. */
export function fieldOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string;
    if (field.length === name.length && field.toLowerCase() === name) return headers[i + 1];
  }
  return undefined;
}

/** The values of a field that may stand on several lines, as one list (RFC 9110 section 5.3). */
function listOf(headers: readonly string[], name: string): string | undefined {
  const values = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}
