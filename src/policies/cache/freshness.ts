import { fieldOf, fieldsOf } from '../../exchange/field-list.ts';
import { parseCacheControl } from './cache-control.ts';
import { parseHttpDate } from './http-date.ts';
import { targetedDirectives } from './targeted-field.ts';

/** What a response's own fields say about storing it (RFC 9111). */
export interface Freshness {
  readonly storable: boolean;
  /** How long it is fresh from now in ms; undefined when the response does not say. */
  readonly freshMs: number | undefined;
  /** Whether it may stand in when it is no longer fresh. */
  readonly mayBeStale: boolean;
  /** What it says itself of the time for which it may, in ms (RFC 5861); undefined for nothing. */
  readonly whileRevalidateMs?: number | undefined;
  readonly ifErrorMs?: number | undefined;
  /** Whether the upstream is asked each time (`no-cache`): it is of use for its validators only. */
  readonly mustValidate?: boolean;
  /** Whether nothing about it changes while it is fresh (RFC 8246). */
  readonly isImmutable?: boolean;
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

/** Statuses that may be stored without the response saying so (RFC 9110 section 15.1), but for parts of others. */
const STORABLE_STATUS: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Parts of other answers, and what says that there is none: never whole by themselves. */
const PARTIAL_STATUS: ReadonlySet<number> = new Set([206, 304]);

/** The longest time in seconds that is believed (RFC 9111 section 1.2.2). */
const MAX_SECONDS = 2 ** 31;
const FIRST_FINAL_STATUS = 200;
/** Those of RFC 9110, whose rules for caches are the general ones. */
const LAST_UNDERSTOOD_STATUS = 505;

/**
 * Reads what a response says to caches: the first of the targeted fields that it has (RFC 9213), else `Cache-Control` and
 * `Expires`; and `Age`, `Date`, `Vary` and `Set-Cookie`.
 *
 * A gateway is a shared cache, but for the entry of one user, which nobody else can be given: `private` (section
 * 5.2.2.7) allows that one and forbids all others, also that of an application, which stands for many users. An
 * entry that is shared needs `public` or `s-maxage` when the request carried credentials (section 3.5, without
 * `must-revalidate`: services say that of everything).
 *
 * @param targets names of targeted fields, in lower case.
 */
export function freshnessOf(
  status: number,
  headers: readonly string[],
  owner: EntryOwner,
  targets: readonly string[] = [],
): Freshness {
  if (status < FIRST_FINAL_STATUS || PARTIAL_STATUS.has(status)) return NOT_STORABLE;
  // A cookie belongs to one client; `Vary: *` depends on more than this store can know.
  if (fieldOf(headers, 'set-cookie') !== undefined || varyNames(headers).includes('*')) return NOT_STORABLE;
  const targeted = targetedDirectives(headers, targets);
  const directives = targeted ?? parseCacheControl(listOf(headers, 'cache-control'));
  const isUnderstood = directives.has('must-understand') && status <= LAST_UNDERSTOOD_STATUS;
  if (directives.has('must-understand') ? !isUnderstood : directives.has('no-store')) return NOT_STORABLE;
  if (!owner.isOneUser && directives.has('private')) return NOT_STORABLE;
  const isOpen = directives.has('public') || directives.has('s-maxage');
  if (owner.isShared && owner.authenticated && !isOpen) return NOT_STORABLE;
  const said = freshMsOf(headers, directives, owner.isShared, targeted !== undefined);
  // Fails closed, where RFC 9111 section 5.1 would have it ignored: somebody has kept it for a time that nobody knows.
  const freshMs = ageIn(headers) === undefined ? 0 : said;
  if (freshMs === undefined && !STORABLE_STATUS.has(status)) return NOT_STORABLE;
  return asSaid(directives, freshMs);
}

function asSaid(directives: ReadonlyMap<string, string>, freshMs: number | undefined): Freshness {
  const mustValidate = directives.has('no-cache');
  return {
    storable: true,
    freshMs: mustValidate ? 0 : freshMs,
    // Section 4.2.4: each of these forbids it to a shared cache, whoever the entry is for.
    mayBeStale: !NEVER_STALE.some((name) => directives.has(name)),
    whileRevalidateMs: msOf(directives.get('stale-while-revalidate')),
    ifErrorMs: msOf(directives.get('stale-if-error')),
    mustValidate,
    isImmutable: directives.has('immutable'),
  };
}

const NEVER_STALE = ['must-revalidate', 'proxy-revalidate', 's-maxage', 'no-cache'] as const;

// `s-maxage`, then `max-age`, then `Expires` (RFC 9111 section 4.2.1), less the age it already has. What cannot be
// read counts as stale. For what is kept for one caller the shorter of the first two counts: it is neither quite a
// shared cache nor quite a private one.
function freshMsOf(
  headers: readonly string[],
  directives: ReadonlyMap<string, string>,
  isShared: boolean,
  isTargeted: boolean,
): number | undefined {
  const shared = secondsOf(directives.get('s-maxage'));
  const general = secondsOf(directives.get('max-age'));
  const seconds = isShared ? (shared ?? general) : lesser(shared, general);
  if (seconds !== undefined) return Math.max(0, seconds * 1000 - currentAgeMs(headers));
  // Of several lines, which nobody may send, none is a date.
  const expires = isTargeted ? undefined : listOf(headers, 'expires');
  if (expires === undefined) return undefined;
  const until = parseHttpDate(expires);
  // An invalid date, `0` above all, is one in the past (section 5.3); without a `Date` of use it counts from now.
  if (until === undefined) return 0;
  return Math.max(0, until - (dateOf(headers) ?? Date.now()) - currentAgeMs(headers));
}

/** A time of a directive in seconds: 0 for what is no such number; undefined without the directive. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Math.min(MAX_SECONDS, Number(text)) : 0;
}

function msOf(text: string | undefined): number | undefined {
  const seconds = secondsOf(text);
  return seconds === undefined ? undefined : seconds * 1000;
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

/** The `Age` of a response in ms: how long caches before us have held it; 0 for one that cannot be read. */
export function ageMsOf(headers: readonly string[]): number {
  return ageIn(headers) ?? 0;
}

// Undefined for what is not one number, such as a list.
function ageIn(headers: readonly string[]): number | undefined {
  const age = listOf(headers, 'age');
  if (age === undefined) return 0;
  return /^\d+$/.test(age.trim()) ? Math.min(MAX_SECONDS, Number(age)) * 1000 : undefined;
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
  const values = fieldsOf(headers, name);
  return values.length === 0 ? undefined : values.join(', ');
}
