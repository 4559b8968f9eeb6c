import { describe, expect, it } from '@jest/globals';
import { compileLinear } from './linear-pattern.ts';

describe(compileLinear, () => {
  it.each<[string, string, boolean]>([
    ['de|en', 'en', true],
    ['^(de|en)$', 'de', true],
    ['de|en', 'den', false],
    ['e', 'de', false],
    ['.*e', 'de', true],
    ['[0-9]{2,3}', '1234', false],
    ['(?i)abc', 'aBC', true],
    ['', '', true],
  ])('%s describes all of "%s": %s', (source, text, matches) => {
    expect(compileLinear(source).matches(text)).toBe(matches);
  });

  it.each([
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    'a++',
    '(?>a)',
    '[',
    'a{1001}',
    '((a{100}){100}){100}',
  ])('refuses %s', (source) => {
    expect(() => compileLinear(source)).toThrow(
      /^expected a regular expression of RE2, which never backtracks/,
    );
  });

  it('takes expressions up to a length, and up to a size', () => {
    expect(compileLinear('a'.repeat(1000)).matches('a'.repeat(1000))).toBe(true);
    expect(() => compileLinear('a'.repeat(1001))).toThrow('at most 1000 characters, got 1001');
    expect(() => compileLinear('(abcdefghij){300}')).toThrow('expected a smaller regular expression');
  });

  // An engine that goes back would not come to an end of these.
  it.each(['(x+x+)+y', '(x|x)*y', '(.*x){30}y', '(x*)*y'])(
    'is done with 16 KiB that %s does not describe',
    (source) => {
      expect(compileLinear(source).matches('x'.repeat(16 * 1024))).toBe(false);
    },
  );
});
