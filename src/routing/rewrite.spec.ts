import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../test/support/exchange.ts';
import { parsePathPattern } from './path-pattern.ts';
import type { RewriteOptions } from './rewrite.schema.ts';
import { compileRewrite } from './rewrite.ts';

const compile = (options: RewriteOptions, pattern: string) => {
  const rewrite = compileRewrite(options, parsePathPattern(pattern));
  if (rewrite === undefined) return undefined;
  const apply = (path: string, query: string, params: readonly string[], of: TestRequest = {}): string => {
    const exchange = createExchange({ ...of, target: (path || '/') + query });
    exchange.params = params;
    return rewrite.apply(exchange);
  };
  return { ...rewrite, apply };
};

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
    ['/feed/{name}', 'there is no "name" to take a value from'],
    ['/feed?x={*}', 'there is no "*" to take a value from'],
    ['/a b/{id}', 'expected a percent-encoded path and query, got "/a b/{id}"'],
    ['/a#{id}', 'expected a percent-encoded path and query, got "/a#{id}"'],
    ['/é', 'expected a percent-encoded path and query, got "/é"'],
  ])('refuses %s', (path, message) => {
    expect(() => compile({ path }, '/users/{id}')).toThrow(new Error(message));
  });
});

describe('replacePrefix', () => {
  // The table of ReplacePrefixMatch in the Kubernetes Gateway API.
  it.each([
    ['/foo/bar', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/xyz/', '/xyz/bar'],
    ['/foo', '/xyz', '/xyz'],
    ['/foo/', '/xyz', '/xyz/'],
    ['/foo/bar', '', '/bar'],
    ['/foo/', '', '/'],
    ['/foo', '', '/'],
    ['/foo/', '/', '/'],
    ['/foo', '/', '/'],
  ])('makes of %s with %j %s', (path, replacePrefix, expected) => {
    expect(compile({ replacePrefix }, '/foo/*')?.apply(path, '?a=1', [])).toBe(`${expected}?a=1`);
  });

  it('replaces what was matched, whatever it was', () => {
    const rewrite = compile({ replacePrefix: '/in/{tenant}' }, '/t/{tenant}/*');
    expect(rewrite?.apply('/t/a%20b/x/y', '', ['a%20b', 'x/y'])).toBe('/in/a%20b/x/y');
    expect(rewrite?.apply('/t/a', '', ['a', ''])).toBe('/in/a');
  });

  it('replaces a literal part of it', () => {
    const rewrite = compile({ replacePrefix: { from: '/api', to: '/v1' } }, '/api/users/{id}');
    expect(rewrite?.apply('/api/users/7', '', ['7'])).toBe('/v1/users/7');
  });

  it('says what was taken away where nothing has come in its place', () => {
    expect(compile({ replacePrefix: '/' }, '/foo/*')?.prefix).toBe('/foo');
    expect(compile({ replacePrefix: '/x' }, '/foo/*')?.prefix).toBeUndefined();
  });

  it.each([
    [
      '/x',
      '/foo',
      'expected a match.path that ends in "/*", got "/foo"; { from, to } names a literal prefix',
    ],
    ['x', '/foo/*', 'expected a path that starts with "/", got "x"'],
    ['/x?a=1', '/foo/*', 'expected no query in a prefix, got "/x?a=1"'],
    ['/{*}', '/foo/*', 'there is no "*" to take a value from'],
    ['/a/../b', '/foo/*', 'expected a percent-encoded path without empty and dot segments, got "/a/../b"'],
  ])('refuses %s at %s', (replacePrefix, pattern, message) => {
    expect(() => compile({ replacePrefix }, pattern)).toThrow(new Error(message));
  });
});

describe('edits of the query', () => {
  const edit = (query: RewriteOptions['query'], asked: string, more: TestRequest = {}) =>
    compile({ query }, '/a/{id}')?.apply('/a/7', asked, ['7'], more);

  it.each([
    [{ set: { b: '2' } }, '', '/a/7?b=2'],
    [{ set: { b: '2' } }, '?a=1&b=1&B=3&b[]=4&c=5', '/a/7?a=1&c=5&b=2'],
    [{ set: { b: 'x y&{id}=' } }, '?a', '/a/7?a&b=x%20y%267%3D'],
    [{ add: { a: '2' } }, '?a=1', '/a/7?a=1&a=2'],
    [{ remove: ['debug'] }, '?debug=1&a=%2f&d%65bug&DEBUG[x]=1;c=1', '/a/7?a=%2f&c=1'],
    [{ remove: ['debug'] }, '?debug', '/a/7'],
    [{ rename: { q: 'query' } }, '?a=1&q=x%20y&query=z', '/a/7?a=1&query=x%20y'],
    [{ rename: { ids: 'id' } }, '?ids[]=1&ids%5B%5D=2&ids', '/a/7?id[]=1&id%5B%5D=2&id'],
    [{ rename: { q: 'query' } }, '?query=z', '/a/7'],
    [{ rename: { q: 'b' }, set: { b: '1' } }, '?q=2&b=3', '/a/7?b=1'],
    [{ rename: { a: 'b', b: 'a' } }, '?a=1&b=2', '/a/7?b=1&a=2'],
  ])('%j makes of %s %s', (query, asked, expected) => {
    expect(edit(query, asked)).toBe(expected);
  });

  it('come before the query of a template', () => {
    const rewrite = compile(
      { path: '/x?user={id}', query: { rename: { q: 'user' }, add: { c: '1' } } },
      '/a/{id}',
    );
    expect(rewrite?.apply('/a/7', '?q=8', ['7'])).toBe('/x?user=7&c=1');
  });
});

describe('a value of a template', () => {
  const ann = createPrincipal('ann/../b&c', { tenant: 'a b' });
  const fill = (path: string, of: TestRequest, query = '') =>
    compile({ path }, '/a/{id}')?.apply('/a/7', query, ['7'], of);

  it.each([
    ['/x?user={principal.id}', '/x?user=ann%2F..%2Fb%26c'],
    ['/{principal.tenant}/{id}', '/a%20b/7'],
    ['/x/{request.header.x-kind}', '/x/k%3F%23'],
    ['/x/{header.x-none|all}', '/x/all'],
    ['/x?a={query.none|}', '/x?a='],
    [
      '/{request.method}/{request.host}/{route.id|none}/{client.address}/{exchange.id}',
      '/GET/shop.example/none/203.0.113.7/exchange-1',
    ],
  ])('fills %s as %s', (path, expected) => {
    const of = { principal: ann, host: 'shop.example', headers: ['X-Kind', 'k?#'] };
    expect(fill(path, of)).toBe(expected);
  });

  it.each([
    ['/x/{principal.id}', 'permission-denied'],
    ['/x/{header.up}', 'request-invalid'],
    ['/x/{header.slash}', 'request-invalid'],
    ['/x/{header.encoded}', 'request-invalid'],
    ['/x/{header.empty}', 'request-invalid'],
    ['/x/{header.none}', 'request-invalid'],
    ['/x/{query.line}', 'request-invalid'],
    ['/x/{query.twice}', 'request-invalid'],
    ['/x?a={query.none}', 'request-invalid'],
    ['/x/{principal.email}', 'permission-denied'],
  ])('cannot be what would lead elsewhere: %s', (path, code) => {
    const headers = ['up', '..', 'slash', 'a/b', 'encoded', '..%2fb', 'empty', ''];
    const of = { principal: ann, headers };
    const filling = () => fill(path, of, '?line=a%0D%0Ab&twice=1&twice=2');
    expect(filling).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['/a/{principle.id}', 'there is no "principle" to take a value from', 'principal'],
    [
      '/a/{principal.mail}',
      'expected one of id, clientId, email, tenant, tier of the principal, got "mail"',
      'email',
    ],
    ['/a/{request.heder.x}', expect.stringContaining('got "request.heder.x"'), 'request.header'],
    ['/a/{Id}', 'there is no "Id" to take a value from', 'id'],
    ['/a/{query}', 'expected a name after it, such as query.first', undefined],
    ['/a/{header.authorization}', 'authorization is a credential and stays where it is', undefined],
    ['/a/{header.x-user-id}', expect.stringContaining("not the client's to say"), undefined],
    ['/a/{id', expect.stringContaining('with one at character 4'), undefined],
    ['/a/b}', expect.stringContaining('with one at character 5'), undefined],
    ['/a/{{id}}', expect.stringContaining('percent-encoded'), undefined],
    ['/a/{query.x|}', expect.stringContaining('default that is not empty'), undefined],
    ['/a/{query.x|..}', 'the default ".." cannot be part of a path', undefined],
  ])('is a fault where there is none: %s', (path, message, suggestion) => {
    expect(() => compile({ path }, '/a/{id}')).toThrow(
      expect.objectContaining({ message, suggestion, key: ['path'] }),
    );
  });

  it('tells requests apart that look alike to a cache', () => {
    expect(compile({ path: '/{id}/{query.x}' }, '/a/{id}')?.isTelling).toBe(false);
    expect(compile({ path: '/{id}/{header.x}' }, '/a/{id}')?.isTelling).toBe(true);
    expect(compile({ query: { set: { u: '{principal.id}' } } }, '/a/{id}')?.isTelling).toBe(true);
  });
});

describe('the rest of a path', () => {
  it.each(['/x{*}', '/x/{*}/y', '/x/{*}y', '/{*}/{*}'])(
    'stands nowhere but at the end, as one: %s',
    (path) => {
      expect(() => compile({ path }, '/a/*')).toThrow('expected {*} only at the end of the path');
    },
  );
});
