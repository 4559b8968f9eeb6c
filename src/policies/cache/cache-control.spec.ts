import { describe, expect, it } from '@jest/globals';
import { parseCacheControl } from './cache-control.ts';

describe('parseCacheControl', () => {
  it.each<[string | undefined, readonly (readonly [string, string])[]]>([
    [undefined, []],
    ['', []],
    [' , ,', []],
    ['Public , max-age = "5",no-transform', [['public', ''], ['max-age', '5'], ['no-transform', '']]],
    ['max-age=1, MAX-AGE=2', [['max-age', '1']]],
    ['private="a, no-store", x="\\", public"', [['private', 'a, no-store'], ['x', '\\", public']]],
    ['max-age="1" 2', [['max-age', '"1" 2']]],
    ['public, =1', [['public', ''], ['no-store', '']]],
    ['public" , max-age=9"', [['no-store', '']]],
    ['max-age=9, x="public', [['max-age', '9'], ['no-store', '']]],
    ['pub lic', [['no-store', '']]],
  ])('reads %s', (value, expected) => {
    expect([...parseCacheControl(value)]).toEqual(expected);
  }); // prettier-ignore
});
