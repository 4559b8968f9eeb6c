import { describe, expect, it } from '@jest/globals';
import { parsePathPattern } from './path-pattern.ts';
import { compileRewrite } from './rewrite.ts';

const compile = (options: { stripPrefix?: string; path?: string }, pattern: string) =>
  compileRewrite(options, parsePathPattern(pattern));

describe('compileRewrite', () => {
  it('makes nothing of nothing', () => {
    expect(compileRewrite(undefined, parsePathPattern('/a'))).toBeUndefined();
    expect(compile({}, '/a')).toBeUndefined();
  });
});

describe('stripPrefix', () => {
  it.each([
    ['/api', '/api/*', '/api/users/1', '/users/1'],
    ['/api/', '/api/*', '/api/users/1', '/users/1'],
    ['/api', '/api/*', '/api', '/'],
    ['/api', '/api/*', '/api/', '/'],
    ['/api', '/api', '/api', '/'],
    ['/api/v2', '/api/v2/users/{id}', '/api/v2/users/a%20b', '/users/a%20b'],
  ])('takes %s off %s', (stripPrefix, pattern, path, expected) => {
    expect(compile({ stripPrefix }, pattern)?.apply(path, '?x=%261', [])).toBe(`${expected}?x=%261`);
  });

  it.each([
    ['api', '/api/*', 'expected a literal prefix that starts with "/", got "api"'],
    ['/', '/api/*', 'expected a literal prefix that starts with "/", got "/"'],
    ['/{id}', '/{id}/*', 'expected a literal prefix that starts with "/", got "/{id}"'],
    ['/ap', '/api/*', 'expected a prefix of "/api/*", got "/ap"'],
    ['/api/v3', '/api/v2/*', 'expected a prefix of "/api/v2/*", got "/api/v3"'],
  ])('refuses %s for %s', (stripPrefix, pattern, message) => {
    expect(() => compile({ stripPrefix }, pattern)).toThrow(new Error(message));
  });
});

describe('a path template', () => {
  it('fills parameters into path and query', () => {
    const rewrite = compile({ path: '/v1/{b}/x?first={a}&fixed=1' }, '/{a}/{b}');
    expect(rewrite?.apply('', '', ['one', 'two'])).toBe('/v1/two/x?first=one&fixed=1');
  });

  it('fills the rest', () => {
    expect(compile({ path: '/new/{*}' }, '/old/*')?.apply('', '?x=1', ['a/b'])).toBe('/new/a/b?x=1');
  });

  it('takes a path without placeholders', () => {
    expect(compile({ path: '/fixed' }, '/a/{b}')?.apply('/a/1', '', ['1'])).toBe('/fixed');
  });

  it('appends the query of the client', () => {
    const rewrite = compile({ path: '/feed?user={id}' }, '/users/{id}/feed');
    expect(rewrite?.apply('', '?page=2&size=9', ['7'])).toBe('/feed?user=7&page=2&size=9');
  });

  it.each([
    ['a&admin=1', 'a%26admin%3D1'],
    ['a=b', 'a%3Db'],
    ['a+b', 'a%2Bb'],
    ['a;b', 'a%3Bb'],
    ['a%26admin%3D1', 'a%26admin%3D1'],
    ['a%23b', 'a%23b'],
    ['a%20b', 'a%20b'],
    ['caf%C3%A9', 'caf%C3%A9'],
  ])('lets the value %s make no pair of its own', (value, expected) => {
    const rewrite = compile({ path: '/feed?user={id}' }, '/users/{id}/feed');
    const target = rewrite?.apply('', '', [value]) ?? '';
    expect(target).toBe(`/feed?user=${expected}`);
    const query = new URL(target, 'http://upstream').searchParams;
    expect([...query.keys()]).toEqual(['user']);
    expect(query.get('user')).toBe(decodeURIComponent(value));
  });

  it.each(['?user=2', '?x=1&user=2&user=3', '?%75ser=2', '?user', '?USER=2', '?us%65r[x]=1&x=1'])(
    'lets the query %s not speak for a name of the template',
    (query) => {
      const rewrite = compile({ path: '/feed?user={id}' }, '/users/{id}/feed');
      const seen = new URL(rewrite?.apply('', query, ['1']) ?? '', 'http://upstream').searchParams;
      const names = [...seen.keys()].filter((name) => name.toLowerCase() === 'user');
      expect([names.length, seen.get('user')]).toEqual([1, '1']);
    },
  );

  it('leaves every other pair of the client as it was written', () => {
    const rewrite = compile({ path: '/feed?user={id}' }, '/users/{id}/feed');
    expect(rewrite?.apply('', '?a=%2f&&b=c+d&user=2&%zz=1&users=1', ['1'])).toBe(
      '/feed?user=1&a=%2f&&b=c+d&%zz=1&users=1',
    );
    expect(rewrite?.apply('', '?user=2', ['1'])).toBe('/feed?user=1');
    expect(rewrite?.apply('', '?', ['1'])).toBe('/feed?user=1');
  });

  it.each([
    ['feed', 'expected a path that starts with "/", got "feed"'],
    ['/feed/{name}', 'the placeholder {name} has no parameter of that name in "/users/{id}"'],
    ['/feed?x={*}', 'the placeholder {*} has no parameter of that name in "/users/{id}"'],
    ['/a b/{id}', 'expected a percent-encoded path and query, got "/a b/{id}"'],
    ['/a#{id}', 'expected a percent-encoded path and query, got "/a#{id}"'],
    ['/é', 'expected a percent-encoded path and query, got "/é"'],
  ])('refuses %s', (path, message) => {
    expect(() => compile({ path }, '/users/{id}')).toThrow(new Error(message));
  });
});
