import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { fieldOf, fieldsOf } from '../../exchange/field-list.ts';
import { addVary } from '../../exchange/vary.ts';
import { chooseCoding, type Coding } from '../compression/accept-encoding.ts';
import { compileTypes, DEFAULT_TYPES } from '../compression/compressible.ts';
import { forbidsRecoding, recode } from '../compression/recoding.ts';
import type { PolicySet } from '../order.ts';
import type { CodedBody, Entry } from './entry.ts';

/** The largest body that is kept compressed: it is decoded at once for who wants it as it was, and nothing else runs meanwhile. */
export const MAX_PLAIN = 2 ** 20;
const LEAST_PLAIN = 1024;
const OK = 200;
const NOTHING = Buffer.alloc(0);

/** How the bodies of a route are kept compressed. */
export interface RouteCoding {
  readonly coding: Coding;
  /** The codings that its clients are offered, that one first; empty where they get all as it was. */
  readonly offered: readonly Coding[];
  readonly minSize: number;
  readonly isOfType: (contentType: string) => boolean;
}

/**
 * How the bodies of a route are kept: as its `compression` offers them, so that a hit compresses nothing; without one only
 * where it is wanted, for the room. Of what its clients are offered gzip, which nearly all of them take.
 *
 * @returns undefined for as they come.
 */
export function routeCodingOf({ cache, compression, transform }: PolicySet): RouteCoding | undefined {
  const wanted = cache?.compress ?? 'off';
  if (wanted === 'off') return undefined;
  if (compression === undefined) {
    if (wanted === 'auto') return undefined;
    return { coding: 'zstd', offered: [], minSize: LEAST_PLAIN, isOfType: compileTypes(DEFAULT_TYPES) };
  }
  // What is edited on its way out has to be decoded for it each time.
  if (wanted === 'auto' && transform?.response !== undefined) return undefined;
  const { codings, minSize, types } = compression;
  const coding = codings.includes('gzip') ? 'gzip' : (codings[0] as Coding);
  return {
    coding,
    offered: [coding, ...codings.filter((one) => one !== coding)],
    minSize: Math.max(minSize, LEAST_PLAIN),
    isOfType: compileTypes(types),
  };
}

/** Whether an answer is kept compressed, as it came. */
export function isCodable({ status, headers, body }: Answer, { minSize, isOfType }: RouteCoding): boolean {
  if (status !== OK || body.length < minSize || body.length > MAX_PLAIN) return false;
  const types = fieldsOf(headers, 'content-type');
  if (types.length !== 1 || !isOfType(types[0] as string)) return false;
  if (fieldOf(headers, 'content-encoding') !== undefined) return false;
  return !fieldsOf(headers, 'cache-control').some(forbidsRecoding);
}

/** Whether a client takes what is kept as it is kept. @param offered the codings that its route offers. */
export function takesCoded(
  { headers }: Exchange['request'],
  { coding }: CodedBody,
  offered: readonly Coding[] | undefined,
): boolean {
  if (offered?.includes(coding) !== true || forbidsRecoding(headers['cache-control'])) return false;
  const liked = offered[0] === coding ? offered : [coding, ...offered.filter((one) => one !== coding)];
  return chooseCoding(headers['accept-encoding'] as string | undefined, liked) === coding;
}

/** The header fields of what is kept, for who gets it as it is kept. */
export function codedFields(headers: readonly string[], coding: Coding, length: number): readonly string[] {
  const fields = [...headers];
  recode(fields, coding);
  addVary(fields, 'Accept-Encoding');
  fields.push('content-length', String(length));
  return fields;
}

const DECODERS: Readonly<
  Record<Coding, (body: Buffer, most: { readonly maxOutputLength: number }) => Buffer>
> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** The body of an entry as it came, or none for who gets none of it. */
export function plainBody({ answer, coded }: Entry, method: string): Buffer {
  if (coded === undefined) return answer.body;
  return method === 'HEAD' ? NOTHING : DECODERS[coded.coding](answer.body, { maxOutputLength: coded.length });
}
