import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { Entry } from './entry.ts';
import { linesOf } from './make-entry.ts';

/** What a value in Redis begins with: what it is, and the version of its form. Another one is not read. */
const MAGIC = Buffer.from('GHC1', 'latin1');
/** Magic, checksum of all behind it, length of the head. */
const HEAD_AT = 12;
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const ms = z.number();
const count = z.int().min(0);
const marks = {
  /** The digest of the key that it was written for. */
  of: z.string(),
  /** Generations of its URI and of everything, as they were when the upstream was asked. */
  uri: z.string(),
  all: z.string(),
};
/** Values of a key whose answers vary: the names to find the one by that a request gets. */
const varySchema = z.strictObject({ ...marks, kind: z.literal('vary'), vary: z.array(z.string()) });
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
  status: z.int().min(200).max(599),
  headers: z.array(z.string()),
  vary: z.array(z.string()),
  variant: z.string(),
  mayBeStale: z.boolean(),
  mustValidate: z.boolean(),
  isImmutable: z.boolean(),
  validators: z.array(z.string()),
  tags: z.array(z.tuple([count, count, count])),
});
const headSchema = z.discriminatedUnion('kind', [varySchema, answerSchema]);

type Marks = Readonly<Record<keyof typeof marks, string>>;

/** What is in Redis under the key of an answer. */
export type SharedValue =
  z.output<typeof varySchema> | (z.output<typeof answerSchema> & { readonly body: Buffer });

/** The value of a key whose answers vary. */
export function varyValue(of: Marks, vary: readonly string[]): Buffer {
  return valueOf({ ...of, kind: 'vary', vary }, Buffer.alloc(0));
}

/** The value of an entry. @param forMs how long it is kept. @param tags slot, and how often it was purged, hard and soft. */
export function answerValue(
  of: Marks,
  entry: Entry,
  { forMs, tags }: { readonly forMs: number; readonly tags: readonly (readonly number[])[] },
): Buffer {
  const now = Date.now();
  const { answer, vary, variant, mayBeStale, mustValidate, isImmutable, validators } = entry;
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
    vary,
    variant,
    mayBeStale,
    mustValidate,
    isImmutable,
    validators,
    tags,
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
  if (!isSendable(head.headers)) return undefined;
  // A copy, because it is kept, and what has come from Redis lies in more room than it needs.
  return { ...head, body: Buffer.from(value.subarray(bodyAt)) };
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}

function isSendable(headers: readonly string[]): boolean {
  return (
    headers.length % 2 === 0 &&
    headers.every((text, at) => (at % 2 === 0 ? FIELD_NAME : FIELD_VALUE).test(text))
  );
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
  const { status, headers, body, vary, variant, mayBeStale, mustValidate, isImmutable, validators } = value;
  const until = (left: number): number => now + left - elapsedMs;
  return {
    answer: { status, headers, body },
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
    validators,
  };
}
