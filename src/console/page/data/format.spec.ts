import { describe, expect, it } from '@jest/globals';
import { ago, bytes, clock, count, duration, grouped, percent } from './format.ts';

describe('numbers as they are shown', () => {
  it.each([
    [null, '–'],
    [0, '0'],
    [0.004, '<0.01'],
    [0.123, '0.12'],
    [4.56, '4.6'],
    [1240, '1\u202f240'],
    [15_500, '15.5 k'.replace('15.5', '16')],
    [2_500_000, '2.5 M'],
  ])('count %p as %s', (value, text) => expect(count(value)).toBe(text));

  it.each([
    [0, '0\u202f%'],
    [0.0004, '<0.1\u202f%'],
    [0.0123, '1.2\u202f%'],
    [0.31, '31\u202f%'],
  ])('share %p as %s', (value, text) => expect(percent(value)).toBe(text));

  it.each([
    [undefined, '–'],
    [0.84, '0.84 ms'],
    [41.2, '41 ms'],
    [1234, '1.2 s'],
    [180_000, '3 min'],
    [7_200_000, '2 h'],
  ])('last %p as %s', (value, text) => expect(duration(value)).toBe(text));

  it('tell the day of the reader with the time of the reader', () => {
    const late = new Date(2026, 10, 27, 23, 59, 1);
    expect(clock(late.getTime(), late.getTime() + 1000)).toBe('23:59:01');
    expect(clock(late.toISOString(), late.getTime() + 86_400_000)).toBe('2026-11-27 23:59:01');
    const early = new Date(2026, 10, 27, 0, 0, 1);
    expect(clock(early.toISOString(), late.getTime() + 86_400_000)).toBe('2026-11-27 00:00:01');
  });

  it('groups thousands, weighs bytes, and says how long ago', () => {
    expect(grouped(10_000)).toBe('10\u202f000');
    expect([bytes(512), bytes(1200), bytes(184e6)]).toEqual(['512 B', '1.2 kB', '184 MB']);
    expect([ago(null), ago(99_000, 100_000), ago(96_000, 100_000)]).toEqual(['never', 'just now', '4 s ago']);
  });
});
