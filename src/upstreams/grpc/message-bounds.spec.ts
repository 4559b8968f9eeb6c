import { describe, expect, it } from '@jest/globals';
import { timeoutMs } from './call-timeout.ts';
import { MessageBounds } from './message-bounds.ts';
import { framed } from './unary-wire.ts';

describe('the bounds of messages', () => {
  const bytes = Buffer.concat([framed(Buffer.alloc(300)), framed(Buffer.alloc(0)), framed(Buffer.alloc(7))]);

  it.each([1, 2, 3, 7, 1000])('are found in pieces of %i bytes', (size) => {
    const bounds = new MessageBounds(300);
    const between: number[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      expect(bounds.take(bytes.subarray(at, at + size))).toBe(true);
      if (bounds.isBetween) between.push(Math.min(at + size, bytes.length));
    }
    expect(between.at(-1)).toBe(bytes.length);
    if (size === 1) expect(between).toEqual([305, 310, 322]);
  });

  it('a message above the limit is one too many as soon as its length is known', () => {
    expect(new MessageBounds(299).take(bytes.subarray(0, 5))).toBe(false);
    expect(new MessageBounds(300).take(bytes.subarray(0, 5))).toBe(true);
    expect(new MessageBounds(2 ** 32 - 2).take(Buffer.of(0, 255, 255, 255, 255))).toBe(false);
  });
});

describe('the time of a call', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['4m', 4],
    ['5000u', 5],
    ['0n', 0],
    ['99999999m', 99_999_999],
    ['100000000m', NaN],
    ['1', NaN],
    ['-1S', NaN],
    ['1s', NaN],
    ['', NaN],
  ])('%s is %d ms', (text, ms) => expect(timeoutMs(text)).toBe(ms));
});
