import { describe, expect, it } from '@jest/globals';
import { randomHex } from '../telemetry/trace-context.ts';
import { isAmong, shownThreshold, thresholdOf } from './sampling.ts';

describe('thresholdOf', () => {
  it.each([
    [1, '0'],
    [0.5, '8'],
    [0.25, 'c'],
    [0.01, 'fd70a4'],
  ])('says %d as th:%s', (ratio, shown) => {
    expect(shownThreshold(thresholdOf(ratio) as string)).toBe(shown);
  });

  it('is never for nothing, and something for the smallest share', () => {
    expect(thresholdOf(0)).toBeUndefined();
    expect(thresholdOf(1e-18)).toBe('f'.repeat(14));
  });
});

describe('isAmong', () => {
  it('goes by the last 56 bits of the trace, or by the randomness that a caller says', () => {
    const half = thresholdOf(0.5);
    const id = (digits: string): string => `${'0'.repeat(18)}${digits.padEnd(14, '0')}`;
    expect([isAmong(id('8'), half), isAmong(id('7fffffffffffff'), half)]).toEqual([true, false]);
    expect(isAmong(id('8'), half, '7fffffffffffff')).toBe(false);
    expect(isAmong(id('f'), undefined)).toBe(false);
  });

  it('takes about its share', () => {
    const threshold = thresholdOf(0.1);
    let among = 0;
    for (let turn = 0; turn < 20_000; turn += 1) if (isAmong(randomHex(32), threshold)) among += 1;
    // Five standard deviations of 42.
    expect(Math.abs(among - 2000)).toBeLessThan(212);
  });
});
