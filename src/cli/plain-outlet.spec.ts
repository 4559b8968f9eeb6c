import { styleText } from 'node:util';
import { expect, it } from '@jest/globals';
import { plainOutlet, plainText } from './plain-outlet.ts';

it.each([
  ['\u001b]0;title\u0007', '\\u{1b}]0;title\\u{7}'],
  ['\u001b[2J\u001b[H', '\\u{1b}[2J\\u{1b}[H'],
  ['\u009b31m', '\\u{9b}31m'],
  ['one\rtwo\b', 'one\\u{d}two\\u{8}'],
  ['a\u202eb\u2028c', 'a\\u{202e}b\\u{2028}c'],
])('%j tells a terminal nothing', (text, shown) => {
  expect(plainText(text)).toBe(shown);
});

it('lines, tabs, colors and all languages stay', () => {
  const red = styleText(['bold', 'red'], 'größe 数\t한\n', { validateStream: false });
  expect(plainText(red)).toBe(red);
});

it('what nobody looks at is left as it is', () => {
  const written: string[] = [];
  const write = (text: string): unknown => written.push(text);
  plainOutlet({ write }).write('\u001b[2J');
  plainOutlet({ write, isTTY: true }).write('\u001b[2J');
  expect(written).toEqual(['\u001b[2J', '\\u{1b}[2J']);
});
