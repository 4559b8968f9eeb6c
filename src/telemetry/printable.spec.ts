import { expect, it } from '@jest/globals';
import { printableJson } from './printable.ts';

it('escapes what is not seen, and means the same', () => {
  const hostile =
    'a\u001b[2J\u007f\u0085\u009b31m\u00ad\u061c\u200b\u200e\u2028\u2029\u202e\u2066\ufeff\u{e0041}z';
  const line = printableJson(JSON.stringify({ hostile }));
  expect(line).toMatch(/^[ -~]+$/);
  expect(JSON.parse(line)).toEqual({ hostile });
  expect(line).toContain(String.raw`\u009b31m`);
});

it('leaves what is seen, and the layout', () => {
  const text = JSON.stringify({ ключ: 'é 漢 🎉 "\\' }, null, '\t');
  expect(printableJson(text)).toBe(text);
});
