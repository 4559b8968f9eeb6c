import { describe, expect, it } from '@jest/globals';
import { isTooDeep, MAX_JSON_DEPTH } from './json-depth.ts';

const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const maps = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe(isTooDeep.name, () => {
  it.each([
    ['lists', lists],
    ['maps', maps],
    ['lists beside each other', (depth: number) => `[${`${lists(depth - 1)},`.repeat(9)}1]`],
    ['lists after texts that end in backslashes', (depth: number) => `["\\\\","\\"]",${lists(depth - 1)}]`],
  ])('counts %s', (_, make) => {
    expect(isTooDeep(make(MAX_JSON_DEPTH))).toBe(false);
    expect(isTooDeep(make(MAX_JSON_DEPTH + 1))).toBe(true);
  });

  it.each([
    ['in a text', `["${'['.repeat(500)}"]`],
    ['in a text with quotes', `["\\"${'[\\"'.repeat(500)}"]`],
    ['in a text that is cut off', `["${'['.repeat(500)}`],
    ['in a key', `{"${'{'.repeat(500)}":1}`],
  ])('does not count what stands %s', (_, text) => expect(isTooDeep(text)).toBe(false));

  it('finds 400 000 levels', () => expect(isTooDeep(lists(400_000))).toBe(true));
});
