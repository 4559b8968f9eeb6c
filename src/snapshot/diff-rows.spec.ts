import { describe, expect, it } from '@jest/globals';
import { changeText } from './diff-rows.ts';

const limit = { key: 'ip', rate: 5, per: 1000, burst: 5 };

describe(changeText, () => {
  it.each([
    [
      'only what changes in a list of the same length',
      [limit],
      [{ ...limit, rate: 9, burst: 9 }],
      '[0].rate 5 → 9, [0].burst 5 → 9',
    ],
    [
      'what is new and what is gone',
      { a: { b: 1, c: 2 } },
      { a: { b: 1, d: 'x' } },
      'a.c 2 → none, a.d none → "x"',
    ],
    ['all of what there was not', undefined, [1], 'none → [1]'],
    ['all of a list that is longer now', [1], [1, 2], '[1] → [1,2]'],
    ['all of what is of another kind', { schemes: ['jwt'] }, 'public', '{"schemes":["jwt"]} → "public"'],
  ])('shows %s', (_what, from, to, told) => {
    expect(changeText({ what: 'policies.x', from, to })).toBe(`policies.x: ${told}`);
  });

  it('shows a value whole in which much has changed', () => {
    const from = Object.fromEntries([...'abcdefg'].map((name) => [name, 1]));
    const to = Object.fromEntries([...'abcdefg'].map((name) => [name, 2]));
    expect(changeText({ what: 'x', from, to })).toBe(`x: ${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  });
});
