import { describe, expect, it } from '@jest/globals';
import { isLarger } from './json-size.ts';

describe(isLarger.name, () => {
  it.each<[unknown]>([
    [null], [0], [12_345], [true], [''], ['abc'], [[]], [{}], [[1, 2, 3]], [{ a: 1, bc: [] }],
    [{ a: { b: ['c', null] } }], [JSON.rawJSON('12345678901234567890')],
  ])('never takes %j for larger than it is', (value) => {
    expect(isLarger(value, JSON.stringify(value).length)).toBe(false);
  }); // prettier-ignore

  it('sees a value as often as it is written', () => {
    const text = 'x'.repeat(1000);
    const item = { text };
    const value = { list: Array.from({ length: 1000 }, () => item) };
    expect(isLarger(value, 999_999)).toBe(true);
    expect(isLarger(value, 1_100_000)).toBe(false);
  });

  it('looks at no more than it has to', () => {
    let looked = 0;
    const item = Object.defineProperty({}, 'a', { enumerable: true, get: () => (looked += 1) });
    expect(
      isLarger(
        Array.from({ length: 100_000 }, () => item),
        100,
      ),
    ).toBe(true);
    expect(looked).toBeLessThan(30);
  });
});
