import { describe, expect, it } from '@jest/globals';
import { covers, parsePathPattern } from './path-pattern.ts';

describe('parsePathPattern', () => {
  it('reads literals, parameters and the rest', () => {
    expect(parsePathPattern('/api/v2/users/{id}/*')).toEqual({
      source: '/api/v2/users/{id}/*',
      segments: [
        { kind: 'literal', text: 'api' },
        { kind: 'literal', text: 'v2' },
        { kind: 'literal', text: 'users' },
        { kind: 'parameter', name: 'id' },
      ],
      wildcard: true,
      parameters: ['id', '*'],
    });
  });

  it('reads a verb after a parameter or the rest', () => {
    expect(parsePathPattern('/orders/{id}:cancel')).toMatchObject({ verb: ':cancel', parameters: ['id'] });
    expect(parsePathPattern('/files/*:sign')).toMatchObject({ verb: ':sign', wildcard: true });
    expect(parsePathPattern('/orders:find').verb).toBeUndefined();
    expect(covers(parsePathPattern('/a/{x}'), parsePathPattern('/a/{x}:go'))).toBe(true);
    expect(covers(parsePathPattern('/a/{x}:go'), parsePathPattern('/a/{x}'))).toBe(false);
    expect(covers(parsePathPattern('/a/*:go'), parsePathPattern('/a/{x}:go'))).toBe(true);
  });

  it('reads a slash that is meant, and expressions with braces', () => {
    expect(parsePathPattern('/users/')).toMatchObject({ slash: true, segments: [{ text: 'users' }] });
    const { segments, parameters } = parsePathPattern('/v/{id:[0-9]{4}|x}');
    expect(segments[1]).toMatchObject({ name: 'id', pattern: { source: '[0-9]{4}|x' } });
    expect(parameters).toEqual(['id']);
    expect(parsePathPattern('/v/{id:[0-9]+}:go')).toMatchObject({ verb: ':go' });
  });

  it('reads the root and the pattern of everything', () => {
    expect(parsePathPattern('/')).toMatchObject({ segments: [], wildcard: false, parameters: [] });
    expect(parsePathPattern('/*')).toMatchObject({ segments: [], wildcard: true, parameters: ['*'] });
  });

  it.each(['/.well-known/openid', "/a.b-c_d~e!$&'()+,;=:@", '/caf%C3%A9'])(
    'takes the literal %s',
    (source) => {
      expect(parsePathPattern(source).source).toBe(source);
    },
  );

  it.each([
    ['users', 'expected a path that starts with "/", got "users"'],
    ['/users//', 'expected no empty segment in "/users//"'],
    [
      '/{id:[0-9}',
      'expected a regular expression of RE2, which never backtracks (no lookarounds, no back-references): missing closing ]: "[0-9"',
    ],
    [
      '/{id:(a)\\1}',
      'expected a regular expression of RE2, which never backtracks (no lookarounds, no back-references): invalid escape sequence: "\\1"',
    ],
    ['/{id:a/b}', '{id:a/b} in "/{id:a/b}" can never match: a segment has no slash'],
    ['/a//b', 'expected no empty segment in "/a//b"'],
    ['/a/*/b', 'expected "*" only as the last segment of "/a/*/b"'],
    ['/users/:id', 'expected {id} for a parameter, got ":id" in "/users/:id"'],
    ['/users/{id', 'expected a literal segment or {name}, got "{id" in "/users/{id"'],
    ['/users/{1}', 'expected a literal segment or {name}, got "{1}" in "/users/{1}"'],
    ['/users/x{id}', 'expected a literal segment or {name}, got "x{id}" in "/users/x{id}"'],
    ['/a b', 'expected a literal segment or {name}, got "a b" in "/a b"'],
    ['/café', 'expected a literal segment or {name}, got "café" in "/café"'],
    ['/a?b', 'expected a literal segment or {name}, got "a?b" in "/a?b"'],
    ['/{id}/x/{id}', 'the parameter {id} stands twice in "/{id}/x/{id}"'],
  ])('refuses %s', (source, message) => {
    expect(() => parsePathPattern(source)).toThrow(new Error(message));
  });

  it.each([
    ['/caf%c3%a9', 'expected "caf%C3%A9", the normal form, instead of "caf%c3%a9" in "/caf%c3%a9"'],
    ['/%61', 'expected "a", the normal form, instead of "%61" in "/%61"'],
    ['/a%2Fb', '"a%2Fb" in "/a%2Fb" can never match: no request may have such a segment'],
    ['/a/../b', '".." in "/a/../b" can never match: no request may have such a segment'],
    ['/100%', '"100%" in "/100%" can never match: no request may have such a segment'],
  ])('refuses %s, which no normalized path can match', (source, message) => {
    expect(() => parsePathPattern(source)).toThrow(new Error(message));
  });
});

describe('covers', () => {
  it.each([
    ['/*', '/', true],
    ['/*', '/a/{b}/*', true],
    ['/a/*', '/a', true],
    ['/a/*', '/ab', false],
    ['/a/{x}', '/a/b', true],
    ['/a/{x}', '/a/{y}', true],
    ['/a/b', '/a/{x}', false],
    ['/a/{x}', '/a/b/c', false],
    ['/a/{x}', '/a/*', false],
    ['/a/{x}/*', '/a/*', false],
    ['/a/b', '/a/b', true],
    ['/a/{x}', '/a/{y:[0-9]+}', true],
    ['/a/{x:[0-9]+}', '/a/{y}', false],
    ['/a/{x:[0-9]+}', '/a/{y:[0-9]+}', true],
    ['/a/{x:[0-9]+}', '/a/7', true],
    ['/a/{x:[0-9]+}', '/a/b', false],
    ['/a/', '/a', false],
    ['/a/*', '/a/', true],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(covers(parsePathPattern(outer), parsePathPattern(inner))).toBe(expected);
  });
});
