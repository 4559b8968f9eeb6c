import { describe, expect, it } from '@jest/globals';
import { bodyOf, fieldsIn, same, textOf } from './compare.ts';

describe('comparing', () => {
  it('says nothing of what is not expected', () => {
    expect(same(['a'], undefined, 1)).toEqual([]);
    expect(textOf(['a'], undefined, 'x')).toEqual([]);
    expect(bodyOf(['a'], undefined, 'x')).toEqual([]);
    expect(fieldsIn(['a'], undefined, { x: '1' })).toEqual([]);
  });

  it('compares fields whatever the case of their names, with patterns, and with none', () => {
    const got = { 'x-a': 'one', 'x-b': 'two' };
    expect(fieldsIn(['headers'], { 'X-A': 'one', 'x-b': { matches: '^t' }, 'x-c': null }, got)).toEqual([]);
    expect(
      fieldsIn(['headers'], { 'x-a': null, 'x-b': { matches: '^o' }, 'x-c': { matches: '.' } }, got),
    ).toEqual([
      { path: ['headers', 'x-a'], expected: null, got: 'one' },
      { path: ['headers', 'x-b'], expected: 'matches ^o', got: 'two' },
      { path: ['headers', 'x-c'], expected: 'matches .', got: null },
    ]);
  });

  it('compares bodies as text, or as JSON by the members that are named', () => {
    expect(bodyOf(['body'], 'a', 'a')).toEqual([]);
    expect(bodyOf(['body'], { a: { b: 1 } }, '{"a":{"b":1,"c":2},"d":3}')).toEqual([]);
    expect(bodyOf(['body'], { a: [{ b: 1 }, { b: 2 }] }, '{"a":[{"b":1},{"b":3}]}')).toEqual([
      { path: ['body', 'a', 1, 'b'], expected: 2, got: 3 },
    ]);
    expect(bodyOf(['body'], { a: [1] }, '{"a":[1,2]}')).toHaveLength(1);
    expect(bodyOf(['body'], { toString: null }, '{}')).toHaveLength(1);
    expect(bodyOf(['body'], { a: 1 }, 'no JSON')).toEqual([
      { path: ['body'], expected: { a: 1 }, got: 'no JSON' },
    ]);
  });
});
