import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { KeyRing } from '../authentication/login/key-ring.ts';
import type { Entry } from './entry.ts';
import {
  answerValue,
  entryOf,
  readValue,
  sealed,
  unsealed,
  varyValue,
  type SharedValue,
} from './shared-value.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const OF = { of: 'a', uri: 'u.0', all: 'x', purges: 3 };

const entry = (more: Partial<Entry> = {}): Entry => ({
  answer: {
    status: 200,
    headers: ['x-a', 'ä', 'etag', '"a"', 'content-length', '2'],
    body: Buffer.from([0, 255]),
  },
  lines: '\r\nx-a: ä\r\netag: "a"\r\ncontent-length: 2',
  coded: undefined,
  vary: ['accept'],
  variant: 'v',
  storedAt: NOW - 5000,
  freshUntil: NOW + 10_000,
  mayBeStale: true,
  revalidateUntil: NOW + 20_000,
  standInUntil: NOW + 30_000,
  keptUntil: NOW + 40_000,
  mustValidate: false,
  isImmutable: true,
  validators: ['if-none-match', '"a"'],
  tags: [{ slot: 7, hard: 1, soft: 2 }],
  ...more,
});

type AnswerOf = Extract<SharedValue, { kind: 'answer' }>;

const written = (of: Entry, forMs = 40_000): AnswerOf => readValue(answerValue(OF, of, forMs)) as AnswerOf;

describe('a value in Redis', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is the entry that was written, and whose it is', () => {
    const value = written(entry());
    expect(value).toMatchObject({ ...OF, tags: [7] });
    expect({ ...entryOf(value, 40_000), tags: entry().tags }).toEqual(entry());
    expect(readValue(varyValue(OF, ['accept']))).toEqual({ ...OF, kind: 'vary', vary: ['accept'] });
  });

  it.each([
    ['the clock of Redis', 0, 39_000],
    ['the clock of this process', 1000, 40_000],
    ['both', 1000, 39_000],
    ['a clock that goes back, against Redis', -60_000, 39_000],
  ])('goes on ageing by %s', (_, passedMs, leftMs) => {
    const value = written(entry());
    jest.setSystemTime(NOW + passedMs);
    const now = Date.now();
    expect(entryOf(value, leftMs)).toMatchObject({
      storedAt: now - 6000,
      freshUntil: now + 9000,
      revalidateUntil: now + 19_000,
      standInUntil: now + 29_000,
      keptUntil: now + 39_000,
    });
  });

  it.each([
    ['has no end', -1, 0],
    ['is gone', -2, 0],
    ['stays longer than it was written for', 40_001, 0],
    ['is of no use any more', 40_000, 40_000],
  ])('is none where it %s', (_, leftMs, passedMs) => {
    const value = written(entry());
    jest.setSystemTime(NOW + passedMs);
    expect(entryOf(value, leftMs)).toBeUndefined();
  });

  it('is none when one byte of it is another one, or missing', () => {
    const value = answerValue(OF, entry(), 1);
    for (let at = 0; at < value.length; at += 1) {
      const other = Buffer.from(value);
      other[at] = (other[at] as number) ^ 1;
      expect(readValue(other)).toBeUndefined();
      expect(readValue(value.subarray(0, at))).toBeUndefined();
    }
  });

  const EMPTY = Buffer.alloc(0);
  const LENGTH = ['content-length', '0'];
  it.each<[string, Partial<Entry>]>([
    ['a line break', { answer: { status: 200, headers: ['x-a', 'a\r\nx-b: b', ...LENGTH], body: EMPTY } }],
    ['a name that is none', { answer: { status: 200, headers: ['x a', 'a', ...LENGTH], body: EMPTY } }],
    ['half a field', { answer: { status: 200, headers: [...LENGTH, 'x-a'], body: EMPTY } }],
    ['a status that is none', { answer: { status: 99, headers: LENGTH, body: EMPTY } }],
    ['a part', { answer: { status: 206, headers: LENGTH, body: EMPTY } }],
    ['a cookie', { answer: { status: 200, headers: ['Set-Cookie', 'a=b', ...LENGTH], body: EMPTY } }],
    [
      'a coding of its own',
      { answer: { status: 200, headers: ['transfer-encoding', 'x', ...LENGTH], body: EMPTY } },
    ],
    ['another length', { answer: { status: 200, headers: ['content-length', '1'], body: EMPTY } }],
    ['two lengths', { answer: { status: 200, headers: [...LENGTH, ...LENGTH], body: EMPTY } }],
    ['no length', { answer: { status: 200, headers: [], body: EMPTY } }],
    [
      'a body too large to decode',
      {
        coded: { coding: 'gzip', length: 2 ** 20 + 1 },
        answer: { status: 200, headers: ['content-length', '1048577'], body: EMPTY },
      },
    ],
    [
      'more tags than there are',
      { tags: Array.from({ length: 129 }, () => ({ slot: 1, hard: 0, soft: 0 })) },
    ],
  ])('is none with %s', (_, more) => {
    expect(written(entry())).toBeDefined();
    expect(written(entry(more))).toBeUndefined();
  });

  it('says nothing to upstreams but what its fields say', () => {
    const forged = written(entry({ validators: ['x-user-id', 'admin'] }));
    expect(entryOf(forged, 40_000)?.validators).toEqual(['if-none-match', '"a"']);
  });

  it('is opened with the keys that it was sealed with, under its name, and not without', () => {
    const keys = new KeyRing(['k'.repeat(32)], 'test');
    const kept = sealed(answerValue(OF, entry(), 40_000), 'name', keys);
    expect(kept.includes('content-length')).toBe(false);
    expect(readValue(unsealed(kept, 'name', keys) ?? EMPTY)).toMatchObject(OF);
    expect(unsealed(kept, 'other', keys)).toBeUndefined();
    expect(unsealed(kept, 'name', new KeyRing(['j'.repeat(32)], 'test'))).toBeUndefined();
    expect(readValue(unsealed(kept, 'name', undefined) ?? EMPTY)).toBeUndefined();
    // Whoever has no key could have written it.
    expect(unsealed(answerValue(OF, entry(), 40_000), 'name', keys)).toBeUndefined();
    for (let at = 0; at < kept.length; at += 1) {
      const other = Buffer.from(kept);
      other[at] = (other[at] as number) ^ 1;
      expect(unsealed(other, 'name', keys)).toBeUndefined();
    }
  });
});
