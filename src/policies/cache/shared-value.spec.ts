import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Entry } from './entry.ts';
import { answerValue, entryOf, readValue, varyValue, type SharedValue } from './shared-value.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const OF = { of: 'a', uri: 'u', all: 'x' };

const entry = (more: Partial<Entry> = {}): Entry => ({
  answer: { status: 200, headers: ['x-a', 'ä'], body: Buffer.from([0, 255]) },
  lines: '\r\nx-a: ä',
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
  tags: [],
  ...more,
});

type AnswerOf = Extract<SharedValue, { kind: 'answer' }>;

const written = (of: Entry, forMs = 40_000): AnswerOf =>
  readValue(answerValue(OF, of, { forMs, tags: [[7, 1, 2]] })) as AnswerOf;

describe('a value in Redis', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is the entry that was written, and whose it is', () => {
    const value = written(entry());
    expect(value).toMatchObject({ ...OF, tags: [[7, 1, 2]] });
    expect({ ...entryOf(value, 40_000), tags: [] }).toEqual(entry());
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
    const value = answerValue(OF, entry(), { forMs: 1, tags: [] });
    for (let at = 0; at < value.length; at += 1) {
      const other = Buffer.from(value);
      other[at] = (other[at] as number) ^ 1;
      expect(readValue(other)).toBeUndefined();
      expect(readValue(value.subarray(0, at))).toBeUndefined();
    }
  });

  it.each<[string, Entry['answer']]>([
    ['a line break', { status: 200, headers: ['x-a', 'a\r\nx-b: b'], body: Buffer.alloc(0) }],
    ['a name that is none', { status: 200, headers: ['x a', 'a'], body: Buffer.alloc(0) }],
    ['half a field', { status: 200, headers: ['x-a'], body: Buffer.alloc(0) }],
    ['a status that is none', { status: 99, headers: [], body: Buffer.alloc(0) }],
  ])('is none with %s', (_, answer) => {
    expect(written(entry({ answer }))).toBeUndefined();
  });
});
