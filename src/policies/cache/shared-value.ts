import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { KeyRing } from '../authentication/login/key-ring.ts';
import { CODINGS } from '../compression/accept-encoding.ts';
import type { Entry } from './entry.ts';
import { validatorsOf } from './http-conditions.ts';
import { linesOf } from './make-entry.ts';
import { isSendable } from './sendable.ts';
import { MAX_PLAIN } from './stored-coding.ts';

/** What a value in Redis begins with: what it is, and the version of its form. Another one is not read. */
const MAGIC = Buffer.from('GHC2', 'latin1');
/** The same of one that is encrypted. */
const SEALED = Buffer.from('GHS2', 'latin1');
/** Magic, checksum of all behind it, length of the head. */
const HEAD_AT = 12;
const PURPOSE = 'cache';
const MOST_NAMES = 128;
const PARTIAL: ReadonlySet<number> = new Set([206, 304]);

const ms = z.number();
const count = z.int().min(0);
const names = z.array(z.string().min(1)).max(MOST_NAMES);
const marks = {
  /** The digest of the key that it was written for. */
  of: z.string(),
  /** Generations of its URI and of everything, and how many purges there had been, when the upstream was asked. */
  uri: z.string(),
  all: z.string(),
  purges: count,
};
/** Values of a key whose answers vary: the names to find the one by that a request gets. */
const varySchema = z.strictObject({ ...marks, kind: z.literal('vary'), vary: names });
/** Times are what was left, or had passed, when it was written: clocks of replicas differ. */
const answerSchema = z.strictObject({
  ...marks,
  kind: z.literal('answer'),
  writtenAt: ms,
  /** For how long it was written. */
  forMs: ms.positive(),
  ageMs: ms.min(0),
  freshMs: ms,
  revalidateMs: ms,
  standInMs: ms,
  keptMs: ms,
  status: z
    .int()
    .min(200)
    .max(599)
    .refine((status) => !PARTIAL.has(status)),
  headers: z.array(z.string()),
  coded: z.strictObject({ coding: z.enum(CODINGS), length: z.int().min(1).max(MAX_PLAIN) }).optional(),
  vary: names,
  variant: z.string(),
  mayBeStale: z.boolean(),
  mustValidate: z.boolean(),
  isImmutable: z.boolean(),
  /** Slots of its tags. */
  tags: z.array(count).max(MOST_NAMES),
});
const headSchema = z.discriminatedUnion('kind', [varySchema, answerSchema]);

/** Whose a value is, and of which generations. */
export type Marks = z.output<z.ZodObject<typeof marks>>;

/** What is in Redis under the key of an answer. */
export type SharedValue =
  | z.output<typeof varySchema>
  | (z.output<typeof answerSchema> & { readonly body: Buffer });

/** The value of a key whose answers vary. */
export function varyValue(of: Marks, vary: readonly string[]): Buffer {
  return valueOf({ ...of, kind: 'vary', vary }, Buffer.alloc(0));
}

/** The value of an entry. @param forMs how long it is kept. */
export function answerValue(of: Marks, entry: Entry, forMs: number): Buffer {
  const now = Date.now();
  const { answer, coded, vary, variant, mayBeStale, mustValidate, isImmutable } = entry;
  const head = {
    ...of,
    kind: 'answer',
    writtenAt: now,
    forMs,
    ageMs: Math.max(0, now - entry.storedAt),
    freshMs: entry.freshUntil - now,
    revalidateMs: entry.revalidateUntil - now,
    standInMs: entry.standInUntil - now,
    keptMs: entry.keptUntil - now,
    status: answer.status,
    headers: answer.headers,
    coded,
    vary,
    variant,
    mayBeStale,
    mustValidate,
    isImmutable,
    tags: entry.tags.map(({ slot }) => slot),
  };
  return valueOf(head, answer.body);
}

function valueOf(head: object, body: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const value = Buffer.concat([MAGIC, Buffer.alloc(HEAD_AT - MAGIC.length), text, body]);
  value.writeUInt32BE(text.length, 8);
  value.writeUInt32BE(crc32(value.subarray(8)), 4);
  return value;
}

/** Reads a value; undefined for what is none of this version, whole, and fit to be sent: whoever can write to Redis can say anything. */
export function readValue(value: Buffer): SharedValue | undefined {
  if (value.length < HEAD_AT || !value.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (value.readUInt32BE(4) !== crc32(value.subarray(8))) return undefined;
  const bodyAt = HEAD_AT + value.readUInt32BE(8);
  if (bodyAt > value.length) return undefined;
  const head = headSchema.safeParse(jsonOf(value.subarray(HEAD_AT, bodyAt))).data;
  if (head === undefined || head.kind === 'vary') return head;
  if (!isSendable(head.status, head.headers, head.coded?.length ?? value.length - bodyAt)) return undefined;
  // A copy, because it is kept, and what has come from Redis lies in more room than it needs.
  return { ...head, body: Buffer.from(value.subarray(bodyAt)) };
}

/** What is in Redis under a name for a value; the same without keys. */
export function sealed(value: Buffer, name: string, keys: KeyRing | undefined): Buffer {
  if (keys === undefined) return value;
  return Buffer.concat([SEALED, keys.sealBytes(value, { purpose: PURPOSE, bound: name })]);
}

/** The value that was sealed under a name. With keys nothing is read that was not sealed: anybody could have written it. */
export function unsealed(kept: Buffer, name: string, keys: KeyRing | undefined): Buffer | undefined {
  if (keys === undefined) return kept;
  if (!kept.subarray(0, SEALED.length).equals(SEALED)) return undefined;
  return keys.openBytes(kept.subarray(SEALED.length), { purpose: PURPOSE, bound: name });
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}

/**
 * The entry of a value, as old as it is by now: never younger than either clock says, of Redis by the time that it still
 * keeps it, and of who wrote it.
 *
 * @param leftMs how long Redis keeps it.
 * @returns undefined for what is of no use any more, or cannot be that young.
 */
export function entryOf(
  value: Extract<SharedValue, { kind: 'answer' }>,
  leftMs: number,
): Omit<Entry, 'tags'> | undefined {
  const now = Date.now();
  const elapsedMs = Math.max(value.forMs - leftMs, now - value.writtenAt);
  if (leftMs < 0 || leftMs > value.forMs || value.keptMs <= elapsedMs) return undefined;
  const { status, headers, body, vary, variant, mayBeStale, mustValidate, isImmutable, coded } = value;
  const until = (left: number): number => now + left - elapsedMs;
  return {
    answer: { status, headers, body },
    coded,
    lines: linesOf(headers),
    storedAt: now - value.ageMs - elapsedMs,
    freshUntil: until(value.freshMs),
    revalidateUntil: until(value.revalidateMs),
    standInUntil: until(value.standInMs),
    keptUntil: until(value.keptMs),
    vary,
    variant,
    mayBeStale,
    mustValidate,
    isImmutable,
    // Read of the fields again: what else would be said here, upstreams would be told.
    validators: validatorsOf(headers),
  };
}
