import { validateHeaderName } from 'node:http';
import type { Answer } from '../../exchange/exchange.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import type { CodedBody, Entry, TagMark } from './entry.ts';
import { ageMsOf, currentAgeMs, type Freshness } from './freshness.ts';
import { validatorsOf } from './http-conditions.ts';

/** What a route says of times, in ms, where an answer says nothing itself. */
export interface EntryTimes {
  readonly ttl: number;
  readonly negativeTtl: number | undefined;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
}

/** What else an entry is made of. */
export interface EntryParts {
  readonly freshness: Freshness;
  readonly times: EntryTimes;
  readonly vary: readonly string[];
  readonly variant: string;
  readonly tags: readonly TagMark[];
  /** What the body is compressed in already; undefined for as it came. */
  readonly coded?: CodedBody | undefined;
  /** How long the answer took, which is added to the age that it says. */
  readonly tookMs: number;
  /** Whether nobody can be asked whether it still holds, but only for a whole one. Default false. */
  readonly isWhole?: boolean;
}

const FIRST_ERROR_STATUS = 400;
const DEFAULT_NEGATIVE_TTL_MS = 10_000;
/** How long what can be validated is of use beyond its time. */
const VALIDATED_MS = 24 * 3_600_000;
const LINE_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const NO_CONTENT = 204;

/**
 * Makes an entry of an answer.
 *
 * @returns undefined for what would never be used: it is stale from the beginning, and cannot be asked for by its validators.
 */
export function makeEntry(answer: Answer, parts: EntryParts): Entry | undefined {
  const { freshness, times, vary, variant, tags, tookMs, coded, isWhole = false } = parts;
  const now = Date.now();
  const validators = isWhole ? NONE : validatorsOf(answer.headers);
  const freshUntil = now + freshMsOf(answer, parts);
  const { mayBeStale } = freshness;
  const until = (ms: number): number => (mayBeStale ? freshUntil + ms : freshUntil);
  const revalidateUntil = until(freshness.whileRevalidateMs ?? times.staleWhileRevalidate);
  const standInUntil = until(freshness.ifErrorMs ?? times.staleIfError);
  const validUntil = validators.length === 0 ? freshUntil : freshUntil + VALIDATED_MS;
  const keptUntil = Math.max(revalidateUntil, standInUntil, validUntil);
  if (keptUntil <= now) return undefined;
  const headers = storedFields(answer, coded?.length ?? answer.body.length);
  return {
    answer: { ...answer, headers },
    coded,
    lines: linesOf(headers),
    vary,
    variant,
    storedAt: now - Math.max(currentAgeMs(answer.headers), ageMsOf(answer.headers) + tookMs),
    freshUntil,
    mayBeStale,
    revalidateUntil,
    standInUntil,
    keptUntil,
    mustValidate: freshness.mustValidate === true,
    isImmutable: freshness.isImmutable === true,
    validators,
    tags,
  };
}

const NONE: readonly string[] = Object.freeze([]);

function freshMsOf({ status, headers }: Answer, { freshness, times, tookMs }: EntryParts): number {
  const { freshMs } = freshness;
  if (freshMs !== undefined) return Math.max(0, freshMs - tookMs);
  const { ttl, negativeTtl = Math.min(ttl, DEFAULT_NEGATIVE_TTL_MS) } = times;
  return Math.max(0, (status < FIRST_ERROR_STATUS ? ttl : negativeTtl) - ageMsOf(headers) - tookMs);
}

// Complete by now, so its length is known; when it was made has to be told by who keeps it (RFC 9110 section 6.6.1).
function storedFields({ status, headers }: Answer, length: number): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (name !== 'age' && name !== 'content-length')
      kept.push(headers[i] as string, headers[i + 1] as string);
  }
  if (fieldOf(kept, 'date') === undefined) kept.push('date', new Date().toUTCString());
  if (status !== NO_CONTENT) kept.push('content-length', String(length));
  return kept;
}

/** Header fields as lines, each with a break before it; undefined for what `node:http` has to look at. */
export function linesOf(headers: readonly string[]): string | undefined {
  let lines = '';
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    if (!LINE_VALUE.test(value) || !isName(headers[i] as string)) return undefined;
    lines += `\r\n${headers[i]}: ${value}`;
  }
  return lines;
}

function isName(name: string): boolean {
  try {
    validateHeaderName(name);
    // What frames a message is for who writes it.
    return !/^(?:connection|keep-alive|transfer-encoding|trailer|upgrade)$/i.test(name);
  } catch {
    return false;
  }
}

/** Fields that a 304 does not change: they are about the bytes that are stored (RFC 9111 section 3.2). */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'content-length', 'content-encoding', 'content-range', 'content-md5', 'content-digest', 'repr-digest', 'digest', 'etag',
  'age', 'transfer-encoding',
]); // prettier-ignore

/** What is stored with the fields of a 304 in place of its own of these names (RFC 9111 section 4.3.4). */
export function updatedBy(stored: Answer, news: readonly string[]): Answer {
  const headers: string[] = [];
  const updated = new Set<string>();
  for (let i = 0; i < news.length; i += 2) {
    const name = (news[i] as string).toLowerCase();
    if (OF_THE_BYTES.has(name)) continue;
    updated.add(name);
    headers.push(news[i] as string, news[i + 1] as string);
  }
  for (let i = 0; i < stored.headers.length; i += 2) {
    const name = (stored.headers[i] as string).toLowerCase();
    // One that says nothing of its time is of now.
    if (!updated.has(name) && name !== 'date')
      headers.push(stored.headers[i] as string, stored.headers[i + 1] as string);
  }
  // The age of what it says anew is its own.
  const age = fieldOf(news, 'age');
  if (age !== undefined) headers.push('age', age);
  return { ...stored, headers };
}
