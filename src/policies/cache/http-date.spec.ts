import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { parseHttpDate } from './http-date.ts';

describe('parseHttpDate', () => {
  afterEach(() => void jest.useRealTimers());

  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'reads %s',
    (text) => {
      expect(parseHttpDate(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
    },
  );

  it('takes two digits for the nearer century, at most 50 years ahead', () => {
    jest.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z') });
    const yearOf = (digits: string) =>
      new Date(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`) ?? 0).getUTCFullYear();
    expect(['26', '76', '77', '94'].map(yearOf)).toEqual([2026, 2076, 1977, 1994]);
  });

  it('reads every date that it could have written', () => {
    for (let day = 0; day < 1000; day += 1) {
      const time = day * 86_400_000 * 37 + day * 1000;
      expect(parseHttpDate(new Date(time).toUTCString())).toBe(time);
    }
  });

  it('reads a leap second and a leap day, and no day that is none', () => {
    expect(parseHttpDate('Thu, 29 Feb 2024 23:59:60 GMT')).toBe(Date.UTC(2024, 2, 1));
    expect(parseHttpDate('Wed, 29 Feb 2023 00:00:00 GMT')).toBeUndefined();
    expect(parseHttpDate('Wed, 01 Foo 2023 00:00:00 GMT')).toBeUndefined();
  });
});
