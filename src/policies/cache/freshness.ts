import { fieldOf } from '../../exchange/field-list.ts';
import { parseCacheControl } from './cache-control.ts';
import { parseHttpDate } from './http-date.ts';

/** What a response's own fields say about storing it (RFC 9111). */
export interface Freshness {
  readonly storable: boolean;
  /** How long it is fresh from now in ms; undefined when the response does not say. */
  readonly freshMs: number | undefined;
  /** Whether it may stand in when it is no longer fresh. */
  readonly mayBeStale: boolean;
}

/** Whose an entry would be. */
export interface EntryOwner {
  /** Whether callers share it who are not told apart by what the gateway verified. */
  readonly isShared: boolean;
  /** Whether it belongs to one user, who is known, and to nobody else. */
  readonly isOneUser: boolean;
  /** Whether the request carried a credential. */
  readonly authenticated: boolean;
}

const NOT_STORABLE: Freshness = { storable: false, freshMs: undefined, mayBeStale: false };

/** Statuses that may be stored without the response saying so, of those that a gateway meets often. */
const STORABLE_STATUS: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 404, 405, 410, 414]);

/** The longest time in seconds that is believed (RFC 9111 section 1.2.2). */
const MAX_SECONDS = 2 ** 31;

/**
 * Reads `Cache-Control`, `Expires`, `Age`, `Date`, `Vary` and `Set-Cookie` of a response.
 *
 * A gateway is a shared cache, but for the entry of one user, which nobody else can be given: `private` (section
 * 5.2.2.7) allows that one and forbids all others, also that of an application, which stands for many users. An
 * entry that is shared needs `public` or `s-maxage` when the request carried credentials (section 3.5).
 */
export function freshnessOf(status: number, headers: readonly string[], owner: EntryOwner): Freshness {
  if (!STORABLE_STATUS.has(status)) return NOT_STORABLE;
  // A cookie belongs to one client; `Vary: *` depends on more than this store can know.
  if (fieldOf(headers, 'set-cookie') !== undefined || varyNames(headers).includes('*')) return NOT_STORABLE;
  const directives = parseCacheControl(listOf(headers, 'cache-control'));
  if (directives.has('no-store') || directives.has('no-cache')) return NOT_STORABLE;
  if (!owner.isOneUser && directives.has('private')) return NOT_STORABLE;
  const isOpen = directives.has('public') || directives.has('s-maxage');
  if (owner.isShared && owner.authenticated && !isOpen) return NOT_STORABLE;
  return {
    storable: true,
    freshMs: freshMsOf(headers, directives, owner.isShared),
    // Section 4.2.4: each of these forbids it to a shared cache, whoever the entry is for.
    mayBeStale: !NEVER_STALE.some((name) => directives.has(name)),
  };
}

const NEVER_STALE = ['must-revalidate', 'proxy-revalidate', 's-maxage'] as const;

// `s-maxage`, then `max-age`, then `Expires` (RFC 9111 section 4.2.1), less the age it already has. What cannot be
// read counts as stale. For what is kept for one caller the shorter of the first two counts: it is neither quite a
// shared cache nor quite a private one.
function freshMsOf(
  headers: readonly string[],
  directives: ReadonlyMap<string, string>,
  isShared: boolean,
): number | undefined {
  const shared = secondsOf(directives.get('s-maxage'));
  const general = secondsOf(directives.get('max-age'));
  const seconds = isShared ? (shared ?? general) : lesser(shared, general);
  if (seconds !== undefined) return Math.max(0, seconds * 1000 - currentAgeMs(headers));
  const expires = fieldOf(headers, 'expires');
  if (expires === undefined) return undefined;
  const until = parseHttpDate(expires);
  const from = dateOf(headers);
  // An invalid date, `0` above all, is one in the past (section 5.3).
  if (until === undefined || from === undefined) return 0;
  return Math.max(0, until - from - currentAgeMs(headers));
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Math.min(MAX_SECONDS, Number(text)) : 0;
}

function lesser(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** A `Date` has no fractions: it is up to a second earlier than what it tells. */
const DATE_GRAIN_MS = 1000;

/** How old a response is in ms: what caches before us say, or its `Date` if that is more (RFC 9111 section 4.2.3). */
export function currentAgeMs(headers: readonly string[]): number {
  const date = dateOf(headers);
  const apparentMs = date === undefined ? 0 : Date.now() - date - DATE_GRAIN_MS;
  return Math.max(ageMsOf(headers), apparentMs);
}

// Now without a `Date`; undefined for one that cannot be read.
function dateOf(headers: readonly string[]): number | undefined {
  const date = fieldOf(headers, 'date');
  return date === undefined ? Date.now() : parseHttpDate(date);
}

/** The `Age` of a response in ms: how long caches before us have held it. Of a list the first one counts. */
export function ageMsOf(headers: readonly string[]): number {
  const age = fieldOf(headers, 'age')?.split(',', 1)[0]?.trim() ?? '';
  return /^\d+$/.test(age) ? Math.min(MAX_SECONDS, Number(age)) * 1000 : 0;
}

/** The request fields that a response depends on, in lower case. */
export function varyNames(headers: readonly string[]): string[] {
  return (listOf(headers, 'vary') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** The values of a field that may stand on several lines, as one list (RFC 9110 section 5.3). */
function listOf(headers: readonly string[], name: string): string | undefined {
  const values = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}
