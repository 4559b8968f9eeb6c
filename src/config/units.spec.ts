import { describe, expect, it } from '@jest/globals';
import { duration, durationText, percentage, size } from './units.ts';

describe('duration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['1.5s', 1500],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('reads %s as %d milliseconds', (text, ms) => {
    expect(duration.parse(text)).toBe(ms);
  });

  it.each([5, '5', '5 s', '-5s', '5S', 's', '', '1e3s', '1s1s', null, '99999999999999999d'])(
    'refuses %j',
    (input) => {
      expect(duration.safeParse(input).error?.issues[0]?.message).toMatch(/^expected a duration/);
    },
  );
});

describe(durationText, () => {
  it.each(['0ms', '250ms', '1s', '90s', '1m', '1500ms', '2h', '36h', '366d'])(
    'writes %s as a file would',
    (text) => {
      expect(durationText(duration.parse(text))).toBe(text);
    },
  );
});

describe('size', () => {
  it.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1KB', 1000],
    ['0.5KiB', 512],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(size.parse(text)).toBe(bytes);
  });

  it.each([1024, '1024', '1kb', '1 MiB', '1M'])('refuses %j', (input) => {
    expect(size.safeParse(input).error?.issues[0]?.message).toMatch(/^expected a size with a unit/);
  });
});

describe('percentage', () => {
  it('reads a percentage as a fraction', () => {
    expect(percentage.parse('50%')).toBe(0.5);
    expect(percentage.parse('0.1%')).toBeCloseTo(0.001, 12);
    expect(percentage.parse('100%')).toBe(1);
  });

  it.each([50, '50', '-5%', '% 5', '101%'])('refuses %j', (input) => {
    expect(percentage.safeParse(input).error?.issues[0]?.message).toMatch(/^expected/);
  });
});
