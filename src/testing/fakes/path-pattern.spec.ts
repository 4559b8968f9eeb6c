import { describe, expect, it } from '@jest/globals';
import { pathPattern } from './path-pattern.ts';

describe(pathPattern, () => {
  it.each([
    ['GET /users/{id}', 'GET', '/users/a%20b', { id: 'a b' }],
    ['GET /users/{id}', 'GET', '/users/7?full=1', { id: '7' }],
    ['GET /users/{id}', 'POST', '/users/7', undefined],
    ['GET /users/{id}', 'GET', '/users/7/orders', undefined],
    ['GET /users/{id}', 'GET', '/users/', undefined],
    ['/users/*', 'DELETE', '/users/7/orders', {}],
    ['* /users', 'PUT', '/users', {}],
    ['/a.b', 'GET', '/axb', undefined],
    ['/feed?user=2', 'GET', '/feed?first=5&user=2', {}],
    ['/feed?user=2', 'GET', '/feed?user=3', undefined],
    ['/users/{id}', 'GET', '/users/%zz', { id: '%zz' }],
  ] as const)('%s and %s %s: %j', (pattern, method, path, expected) => {
    expect(pathPattern(pattern).match(method, path)).toEqual(expected);
  });

  it.each(['users', 'GET users', 'get /users', '', 'GET  /users'])('refuses "%s" with an example', (text) => {
    expect(() => pathPattern(text)).toThrow(
      `expected a method and a path, such as "GET /users/{id}" or "/users/*", given "${text}"`,
    );
  });

  it.each(['/a/*/b', '/{a', '/a}', '/{}'])('refuses the path %s', (path) => {
    expect(() => pathPattern(path)).toThrow('expected {name} for a segment, and * at the end only');
  });
});
