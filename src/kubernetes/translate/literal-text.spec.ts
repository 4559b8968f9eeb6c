import { expect, it } from '@jest/globals';
import { literalText } from './literal-text.ts';

it('literalText leaves no place for a value', () => {
  expect(literalText('a{b}c')).toBe('a{{b}}c');
});
