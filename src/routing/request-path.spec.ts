import { describe, expect, it } from '@jest/globals';
import { normalizePath, splitTarget } from './request-path.ts';

describe('splitTarget', () => {
  it.each([
    ['/a', '/a', ''],
    ['/a?', '/a', '?'],
    ['/a?b=c?d', '/a', '?b=c?d'],
    ['?x', '', '?x'],
  ])('splits %s', (target, path, query) => {
    expect(splitTarget(target)).toEqual({ path, query });
  });
});

describe('normalizePath', () => {
  it.each([
    ['/'],
    ['/a/b'],
    ['/a/'],
    ['/.well-known/jwks.json'],
    ['/a/.hidden'],
    ['/a/b.'],
    ['/a/...'],
    ['/a/b..c'],
    ['/a;v=1/b'],
    ['/a;..'],
    ["/~user/a-b_c!$&'()*+,=:@"],
    ['/a%20b'],
    ['/a/...%20/b'],
    ['/a/..%C3%A9/b%20'],
    ['/caf%C3%A9'],
    ['/a%25b'],
    ['/a%252e%252e/b'],
    ['/a%3Fb%23c'],
    ['/a%3Bb'],
  ])('leaves %s as it is', (path) => {
    expect(normalizePath(path)).toBe(path);
  });

  it.each([
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/%61%41%7a%30', '/aAz0'],
    ['/%7euser%2d%5f', '/~user-_'],
    ['/file%2etxt', '/file.txt'],
    ['/%2ewell-known', '/.well-known'],
    ['/a%3fb', '/a%3Fb'],
  ])('brings %s into the form %s', (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });

  it.each([
    ['an encoded slash', '/a%2Fb'],
    ['an encoded slash in lower case', '/a%2fb'],
    ['an encoded backslash', '/a%5cb'],
    ['a backslash', '/a\\b'],
    ['a dot segment', '/a/./b'],
    ['a parent segment', '/a/../b'],
    ['a parent segment at the end', '/a/..'],
    ['a dot segment at the end', '/a/.'],
    ['an encoded parent segment', '/a/%2e%2e/b'],
    ['a half-encoded parent segment', '/a/.%2E/b'],
    ['an encoded dot segment', '/%2e/b'],
    ['a parent segment and a blank', '/a/..%20/b'],
    ['a blank and a parent segment', '/a/%20../b'],
    ['a parent segment and a blank at the end', '/a/..%20'],
    ['an encoded parent segment and a blank', '/a/%2e%2e%20/b'],
    ['a dot segment and a blank', '/a/.%20/b'],
    ['a parent segment and a blank of Unicode', '/a/..%C2%A0/b'],
    ['a parent segment, a blank and parameters', '/a/..%20;v=1/b'],
    ['a parent segment with a path parameter', '/a/..;/b'],
    ['a parent segment with a path parameter of content', '/a/..;x=1/b'],
    ['an encoded parent segment with a path parameter', '/a/%2e%2e;/b'],
    ['a parent segment with an encoded path parameter', '/a/..%3b/b'],
    ['an empty segment', '/a//b'],
    ['an empty first segment', '//a'],
    ['empty segments at the end', '/a//'],
    ['an encoded NUL', '/a%00'],
    ['an encoded line feed', '/a%0Ab'],
    ['an encoded DEL', '/a%7F'],
    ['a control character', '/a\u0001'],
    ['a space', '/a b'],
    ['a tab', '/a\tb'],
    ['a character beyond ASCII', '/café'],
    ['a fragment', '/public#/private'],
    ['an incomplete triplet', '/a%2'],
    ['a bare percent sign', '/100%'],
    ['a triplet of other letters', '/a%zz'],
    ['bytes that are no UTF-8', '/a%FF'],
    ['an overlong encoding', '/a%C0%AF'],
    ['half of a character', '/caf%C3'],
    ['no slash', 'a/b'],
    ['nothing', ''],
    ['an absolute form', 'http://example.com/a'],
    ['an asterisk', '*'],
  ])('refuses %s', (_, path) => {
    expect(normalizePath(path)).toBeUndefined();
  });

  it('is idempotent', () => {
    for (const path of ['/caf%c3%a9', '/%61%2D', '/a%25%32%35']) {
      const once = normalizePath(path) as string;
      expect(normalizePath(once)).toBe(once);
    }
  });
});
