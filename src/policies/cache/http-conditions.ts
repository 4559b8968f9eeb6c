import type { IncomingHttpHeaders } from 'node:http';
import { fieldOf } from '../../exchange/field-list.ts';
import { parseHttpDate } from './http-date.ts';

const TAGS = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;
const TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
const DATE_GRAIN_MS = 1000;

/**
 * Whether a client has what is stored already (RFC 9110 section 13.2.2): `If-None-Match` compares weakly and wins over
 * `If-Modified-Since`, which goes by `Last-Modified`, or by `Date` for want of one (RFC 9111 section 4.3.2).
 */
export function isKnownToClient(asked: IncomingHttpHeaders, stored: readonly string[]): boolean {
  const wanted = asked['if-none-match'];
  if (wanted !== undefined) return matchesTag(wanted, fieldOf(stored, 'etag'));
  const since = asked['if-modified-since'];
  if (since === undefined) return false;
  const from = parseHttpDate(since);
  const changed = parseHttpDate(fieldOf(stored, 'last-modified') ?? fieldOf(stored, 'date') ?? '');
  return from !== undefined && changed !== undefined && changed <= from;
}

function matchesTag(wanted: string, etag: string | undefined): boolean {
  if (wanted.trim() === '*') return true;
  if (etag === undefined) return false;
  const own = opaque(etag);
  return wanted === etag || (wanted.match(TAGS) ?? []).some((tag) => opaque(tag) === own);
}

/** Whether two tags are the same by the weak comparison (RFC 9110 section 8.8.3.2). */
export function sameTag(one: string, other: string): boolean {
  return opaque(one) === opaque(other);
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

/** The fields that ask an upstream whether what is stored still holds (RFC 9111 section 4.3.1); empty for want of a validator. */
export function validatorsOf(stored: readonly string[]): readonly string[] {
  const fields: string[] = [];
  const etag = fieldOf(stored, 'etag');
  if (etag !== undefined && TAG.test(etag)) fields.push('if-none-match', etag);
  const modified = fieldOf(stored, 'last-modified');
  if (modified !== undefined && parseHttpDate(modified) !== undefined)
    fields.push('if-modified-since', modified);
  return fields;
}

/**
 * Whether what is stored is what `If-Range` was said of (RFC 9110 section 13.1.5): the same strong tag, or the very date of
 * its last change, if that was long enough before its `Date` to be a strong one.
 */
export function isInRange(condition: string | undefined, stored: readonly string[]): boolean {
  if (condition === undefined) return true;
  if (TAG.test(condition)) return !condition.startsWith('W/') && condition === fieldOf(stored, 'etag');
  const modified = fieldOf(stored, 'last-modified');
  const changed = modified === undefined ? undefined : parseHttpDate(modified);
  const made = parseHttpDate(fieldOf(stored, 'date') ?? '');
  if (changed === undefined || made === undefined) return false;
  return modified === condition && made - changed >= DATE_GRAIN_MS;
}

/** Bytes of a body: from the first one to the last. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a `Range` of one range of bytes (RFC 9110 section 14.1.2).
 *
 * @returns undefined for what may be answered with all of it: another unit, several ranges, or none at all;
 * `outside` for one that the body has nothing of.
 */
export function byteRangeOf(range: string, length: number): ByteRange | 'outside' | undefined {
  const parts = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(range);
  if (parts === null) return undefined;
  const [, from = '', to = ''] = parts;
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const count = Math.min(Number(to), length);
    return count === 0 ? 'outside' : { first: length - count, last: length - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= length) return 'outside';
  return { first, last: to === '' ? length - 1 : Math.min(Number(to), length - 1) };
}
