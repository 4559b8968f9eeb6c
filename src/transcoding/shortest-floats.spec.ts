import { describe, expect, it } from '@jest/globals';
import { shortestFloat } from './shortest-floats.ts';

describe(shortestFloat, () => {
  it.each([0.1, -0.1, 0.3, 123456.79, 3.4028235e38, 1.1754944e-38, 1.4013e-45, 16777216, 1e10, 0.33333334])(
    'writes the number of 32 bits nearest to %p as that',
    (decimal) => {
      expect(shortestFloat(Math.fround(decimal))).toBe(decimal);
    },
  );

  it('never changes the number of 32 bits that is meant', () => {
    const bits = new DataView(new ArrayBuffer(4));
    for (let pattern = 1; pattern < 0x7f800000; pattern += 1_234_567) {
      bits.setUint32(0, pattern);
      const value = bits.getFloat32(0);
      expect(Math.fround(shortestFloat(value))).toBe(value);
    }
  });
});
