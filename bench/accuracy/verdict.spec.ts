import { describe, expect, it } from '@jest/globals';
import type { Counts } from './load.ts';
import { judge } from './verdict.ts';

const LIMIT = { rate: 100, burst: 100 };

/** Ten seconds of a key: 1100 are allowed. */
function counts(precision: Counts['precision'], admitted: number, asked = 3000, other = 0): Counts {
  const refused = asked - admitted - other;
  return { precision, key: 'k', asked, admitted, refused, other, firstAt: 5000, lastAt: 15_000 };
}

describe('the verdict about accuracy', () => {
  it.each([
    ['all is as it should be', counts('exact', 1100), counts('leased', 1090), []],
    ['exact lets half a percent too many pass', counts('exact', 1106), counts('leased', 1100), [0]],
    ['exact lets half a percent too few pass', counts('exact', 1094), counts('leased', 1100), [0]],
    ['leased lets one too many pass', counts('exact', 1100), counts('leased', 1101), [3]],
    ['leased lets three percent too few pass', counts('exact', 1100), counts('leased', 1066), [3]],
    ['there was too little load', counts('exact', 1100, 2000), counts('leased', 1100, 2000), [1, 4]],
    ['some were neither', counts('exact', 1100, 3000, 16), counts('leased', 1100, 3000, 15), [2]],
  ])('%s', (_name, exact, leased, broken) => {
    const verdict = judge([exact, leased], LIMIT);
    expect(verdict.flatMap(({ kept }, index) => (kept ? [] : [index]))).toEqual(broken);
  });
});
