import { describe, expect, it } from '@jest/globals';
import { repeatedName } from './repeated-names.ts';

describe(repeatedName, () => {
  it.each([
    ['{}', undefined],
    ['[]', undefined],
    ['"{\\"a\\":1,\\"a\\":2}"', undefined],
    ['{"a":1,"b":1}', undefined],
    ['{"a":{"a":{"a":1}},"b":["a","a"]}', undefined],
    ['[{"a":1},{"a":1}]', undefined],
    ['{"a":"a","b":"a"}', undefined],
    ['{"a\\\\":1,"a":2}', undefined],
    ['{"":1}', undefined],
    ['{"a":1,"a":2}', '/a'],
    [' { "a" : 1 , "a" : 2 } ', '/a'],
    ['{"":1,"":2}', '/'],
    ['{"a":[1,[2,{"b":1,"c":"x","b":2}]]}', '/a/1/1/b'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"a\\"":1,"a\\"":2}', '/a"'],
    ['{"a\\\\":1,"a\\\\":2}', '/a\\'],
    ['{"a/b~c":{"x":1,"x":1}}', '/a~1b~0c/x'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['[{"a":{}},{"a":{"b":[]},"a":1}]', '/1/a'],
  ])('finds in %s: %s', (text, pointer) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(repeatedName(text)).toBe(pointer);
  });
});
