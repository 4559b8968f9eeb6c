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
    '%252e%252e', '..%2520', '%25252e.', '..%25c2%25a0',
  ])('finds %j', (value) => expect(isDotValue(value)).toBe(true)); // prettier-ignore

  it.each(['', '%20', '100%', '%2e%2e%2e', '..%41', 'a%2e%2e', '..%', '%zz..'])('leaves %j alone', (value) =>
    expect(isDotValue(value)).toBe(false),
  );
});
