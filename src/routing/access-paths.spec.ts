import { describe, expect, it } from '@jest/globals';
import { bySpecificity, mayMeet, requestPaths } from './access-paths.ts';
import { parsePathPattern } from './path-pattern.ts';

describe('requestPaths', () => {
  it.each<[pattern: string, path: string, taken: boolean, folded: boolean]>([
    ['/a/*', '/a', true, true],
    ['/a/*', '/a/b/c', true, true],
    ['/a/*', '/ab', false, false],
    ['/a/*', '/A/b', false, true],
    ['/a/*', '/a;x/b', false, true],
    ['/a/*', '/%61x', false, false],
    ['/A/{id}', '/a/7', false, true],
    ['/a/{id}', '/a/7/', true, true],
    ['/a/{id}', '/a', false, false],
    ['/a/{id:[0-9]+}', '/a/x', false, true],
    ['/a/{id}:go', '/a/7:go', true, true],
    ['/a/{id}:go', '/a/7:stop', false, false],
    ['/*', '/', true, true],
  ])('%s and %s', (pattern, path, taken, folded) => {
    const matcher = requestPaths.matcher(pattern);
    expect([matcher.takes(path), matcher.takesFolded(requestPaths.fold(path))]).toEqual([taken, folded]);
  });

  it('orders patterns by what they say first', () => {
    const given = ['/*', '/a/*', '/a/{x}', '/a/{x:[0-9]+}', '/a/b', '/a', '/a/{x}/c', '/a/{x}:go', '/{x}/b'];
    const sorted = given
      .map((one) => parsePathPattern(one))
      .sort(bySpecificity)
      .map(({ source }) => source);
    expect(sorted).toEqual([
      '/a/b',
      '/a/{x:[0-9]+}',
      '/a/{x}/c',
      '/a/{x}:go',
      '/a/{x}',
      '/a',
      '/a/*',
      '/{x}/b',
      '/*',
    ]);
  });

  it.each<[string, string, boolean]>([
    ['/a/b', '/a/b', true],
    ['/a/b', '/a/B', true],
    ['/a/b', '/a/c', false],
    ['/a', '/a/b', false],
    ['/a/*', '/a/b', true],
    ['/a/b', '/a/*', true],
    ['/a/b/c', '/a/{x}', true],
    ['/b/*', '/a/*', false],
    ['/*', '/a', true],
    ['/a', '/*', true],
  ])('%s may be about %s: %p', (one, other, may) => {
    expect(mayMeet(parsePathPattern(one), parsePathPattern(other))).toBe(may);
  });
});
