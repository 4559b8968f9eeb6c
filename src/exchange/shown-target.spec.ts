import { describe, expect, it } from '@jest/globals';
import { secretValuesOf, shownPath, shownPathOf, shownQuery, withoutValues } from './shown-target.ts';

describe(shownPath.name, () => {
  it.each([
    ['/orders/1', '/orders/1'],
    ['/orders;jsessionid=s3cret/1;v=2', '/orders;*/1;*'],
    ['/orders%3Bjsessionid=s3cret/1', '/orders;*/1'],
    [`/${'x'.repeat(1023)}`, `/${'x'.repeat(1023)}`],
    [`/${'x'.repeat(1024)}`, `/${'x'.repeat(1023)}…`],
  ])('shows %p as %p', (path, shown) => expect(shownPath(path)).toBe(shown));
});

describe(shownQuery.name, () => {
  it.each([
    ['?page=1&size=20', '?page=&size='],
    ['?ids[]=1&filter.name=x&a-b=1', '?ids[]=&filter.name=&a-b='],
    ['?s3cret', '?*'],
    ['?', '?*'],
    ['?page=1&s3cret&', '?page=&*&*'],
    ['?czNjcmV0=', '?*'],
    ['?czNjcmV0==', '?*'],
    ['?=s3cret', '?*'],
    ['?a%3Ds3cret=1', '?*'],
    ['?a=1;token=s3cret', '?a='],
    ['?a;s3cret=1', '?*'],
    ['?{"token":"s3cret"}=1', '?*'],
    [`?${'n'.repeat(32)}=1`, `?${'n'.repeat(32)}=`],
    [`?${'n'.repeat(33)}=1`, '?*'],
    [`?${'a=1&'.repeat(15)}b=1`, `?${'a=&'.repeat(15)}b=`],
    [`?${'a=1&'.repeat(16)}b=1`, `?${'a=&'.repeat(16)}…`],
  ])('shows %p as %p', (query, shown) => expect(shownQuery(query)).toBe(shown));
});

describe(shownPathOf.name, () => {
  const of = (path: string, parameters: readonly string[], params: readonly string[]) =>
    shownPathOf({ path, params, route: { pattern: { parameters } } });

  it('leaves out the values of parameters whose names may be those of secrets', () => {
    expect(of('/reset/s3cret/go', ['token'], ['s3cret'])).toBe('/reset/*/go');
    expect(of('/users/7/keys/s%33cret', ['id', 'apiKey'], ['7', 's%33cret'])).toBe('/users/7/keys/*');
    expect(of('/s/e/e', ['session'], ['e'])).toBe('/s/*/*');
    expect(of('/files/s3cret.zip', ['ticket'], ['s3cret'])).toBe('/files/*.zip');
    expect(of('/users/7', ['id'], ['7'])).toBe('/users/7');
    expect(of('/magic/', ['token'], [''])).toBe('/magic/');
  });

  it('hides what looks like a token, a key of ours or user information, whatever route takes it', () => {
    const token = `eyJhbGciOi.${'a'.repeat(9)}.b`;
    expect(shownPathOf({ path: `/x/${token}/y`, params: [], route: undefined })).toBe('/x/[redacted]/y');
    expect(of(`/k/gh_live_${'k'.repeat(20)}`, [], [])).toBe('/k/[redacted]');
    expect(of('/via/http://me:s3cret@host/', [], [])).toBe('/via/http://[redacted]@host/');
  });
});

it('takes the same values out of what was made of a path', () => {
  const values = secretValuesOf({ route: { pattern: { parameters: ['a', 'token'] } }, params: ['1', 'abc'] });
  expect(values).toEqual(['abc']);
  expect(withoutValues('/inner/abc/1?t=abc', values)).toBe('/inner/*/1?t=abc');
});
