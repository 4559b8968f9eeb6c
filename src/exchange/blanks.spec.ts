import { expect, it } from '@jest/globals';
import { withoutBlanks } from './blanks.ts';

it.each([
  ['', ''],
  ['a', 'a'],
  [' \ta b\t ', 'a b'],
  [' \t ', ''],
  ['\u00a0a\u00a0', '\u00a0a\u00a0'],
  ['\na', '\na'],
])('takes spaces and tabs from around %j', (text, left) => {
  expect(withoutBlanks(text)).toBe(left);
});

it('looks at each blank once, wherever they stand', () => {
  const blanks = ' '.repeat(2_000_000);
  expect(withoutBlanks(`${blanks}a${blanks}b${blanks}`)).toHaveLength(blanks.length + 2);
});
