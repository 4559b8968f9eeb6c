import { describe, expect, it } from '@jest/globals';
import { isDotSegment, isDotValue } from './path-value.ts';

describe(isDotSegment.name, () => {
  it.each([
    '.', '..', ' .', '.. ', '.. \t', '\u00a0..\u3000', '..\ufeff', '\u200b..', '..;', '..;v=1', '. ;x',
  ])('finds %j', (segment) => expect(isDotSegment(segment)).toBe(true)); // prettier-ignore

  it.each(['', ' ', '...', '.a', 'a.', 'a..b', '..a', '. .', ';..', '%2e%2e', '..%20'])(
    'leaves %j alone',
    (segment) => expect(isDotSegment(segment)).toBe(false),
  );
});

describe(isDotValue.name, () => {
  it.each([
    '..', '.. ', '%2e', '%2E%2e', '.%2e', '..%20', '%20..', '..%09', '..%0d%0a', '..%C2%A0', '..%3b', '..%3Bx',
    '../admin', 'a/../b', 'a/..', '..\\admin', 'a/ ..;x/b', '..%2fadmin', 'a%252F%2e.', '%5c..%5C', './a',
    '%252e%252e', '..%2520', '%25252e.', '..%25c2%25a0',
  ])('finds %j', (value) => expect(isDotValue(value)).toBe(true)); // prettier-ignore

  it.each([
    '', '%20', 'a/b', 'a/.b', '/', 'a%2fb..', 'aGk/Pz8=', '100%', '%2e%2e%2e', '..%41', 'a%2e%2e', '..%', '%zz..',
  ])('leaves %j alone', (value) => expect(isDotValue(value)).toBe(false)); // prettier-ignore
});
