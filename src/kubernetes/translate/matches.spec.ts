import { describe, expect, it } from '@jest/globals';
import { grpcMatchOf, matchOf, pathPattern } from './matches.ts';

describe('pathPattern', () => {
  it.each([
    ['PathPrefix', '/', '/*'],
    ['PathPrefix', '/users/', '/users/*'],
    ['Exact', '/users/', '/users/'],
    ['RegularExpression', '/users/[0-9]+', '/users/{r1:[0-9]+}'],
    ['RegularExpression', '/v1\\.0/.*', '/v1.0/*'],
    ['RegularExpression', '/a/[^/]+/c$', '/a/{r1:.+}/c'],
  ])('%s %s', (type, value, pattern) => expect(pathPattern({ type, value }, 'f')).toBe(pattern));

  it.each([
    ['Exact', 'users', /starts with \//],
    ['Exact', '/{id}', /\{ \} \*/],
    ['PathPrefix', '/a*', /\{ \} \*/],
    ['RegularExpression', '/(a/b)+', /several segments/],
    ['RegularExpression', '/(?i)a', /several segments/],
    ['Glob', '/a', /type: Glob is not supported/],
  ])('refuses %s %s', (type, value, why) => expect(() => pathPattern({ type, value }, 'f')).toThrow(why));
});

describe('matchOf', () => {
  it('takes the first of several of one name, in whatever letters', () => {
    const headers = [
      { name: 'X-A', value: '1' },
      { name: 'x-a', value: '2' },
      { name: 'x-b', type: 'RegularExpression', value: 'c+' },
    ];
    expect(matchOf({ headers, queryParams: [{ name: 'Q', value: '1' }], method: 'PUT' }, 'f')).toEqual({
      path: '/*',
      methods: ['PUT'],
      headers: { 'x-a': { exact: '1' }, 'x-b': { regex: 'c+' } },
      query: { Q: { exact: '1' } },
    });
  });

  it('names the field that it does not know', () => {
    expect(() => matchOf({ method: 'CONNECT' }, 'rules[0].matches[1]')).toThrow(
      /rules\[0\]\.matches\[1\]\.method: CONNECT/,
    );
    expect(() => matchOf({ headers: [{ name: 'a', type: 'Prefix', value: 'b' }] }, 'm')).toThrow(
      /m\.headers\[0\]\.type/,
    );
  });
});

describe('grpcMatchOf', () => {
  it.each([
    [{}, '/*'],
    [{ method: { service: 's.S' } }, '/s.S/*'],
    [{ method: { service: 's.S', method: 'Get' } }, '/s.S/Get'],
    [{ method: { method: 'Get' } }, '/{service}/Get'],
    [
      { method: { type: 'RegularExpression', service: 's\\..*', method: 'Get.*' } },
      '/{service:s\\..*}/{method:Get.*}',
    ],
  ])('%j', (match, path) => expect(grpcMatchOf(match, 'f')).toEqual({ path }));

  it('refuses another type', () => {
    expect(() => grpcMatchOf({ method: { type: 'Prefix' } }, 'm')).toThrow(/m\.method\.type: Prefix/);
  });
});
