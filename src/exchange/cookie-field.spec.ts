import { describe, expect, it } from '@jest/globals';
import { cookieOf, removeCookie } from './cookie-field.ts';

describe('cookieOf', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['id=1', '1'],
    ['a=0;id=1', '1'],
    ['a=0;  id = 1 ; b=2', '1'],
    ['xid=0; id=1', '1'],
    ['id', undefined],
    ['id; id=1', '1'],
    ['id=', undefined],
    ['id=1; id=2', '1'],
    ['id=a=b', 'a=b'],
    ['a=id=1', undefined],
  ])('reads %j', (field, value) => {
    expect(cookieOf(field, 'id')).toBe(value);
  });
});

describe('removeCookie', () => {
  it.each([
    [
      ['cookie', 'a=0; id=1; b=2'],
      ['cookie', 'a=0; b=2'],
    ],
    [
      ['cookie', 'id=1; b=2; id=3'],
      ['cookie', 'b=2'],
    ],
    [
      ['cookie', 'id=1', 'x', 'id=1'],
      ['x', 'id=1'],
    ],
    [
      ['cookie', 'xid=1; a=id=1'],
      ['cookie', 'xid=1; a=id=1'],
    ],
    [
      ['cookie', 'a=0', 'cookie', ' id =1'],
      ['cookie', 'a=0'],
    ],
  ])('leaves of %j', (fields, left) => {
    const list = [...fields];
    removeCookie(list, 'id');
    expect(list).toEqual(left);
  });
});
