import { describe, expect, it } from '@jest/globals';
import { parseBodyPath, EACH } from './body-path.ts';
import { bodyOperation, compileOperation } from './body-operations.ts';

const PERSON = { user: { name: 'Ada', ssn: '1' }, items: [{ id: 1, a: { b: 2 } }, { id: 2 }], 'x.y': 3 };

describe('parseBodyPath', () => {
  it.each([
    ['a', ['a']],
    ['a.b[].c', ['a', 'b', EACH, 'c']],
    ['[].id', [EACH, 'id']],
    ['[][]', [EACH, EACH]],
    ['.', []],
    [String.raw`x\.y.z`, ['x.y', 'z']],
    [String.raw`a\\b\[\]`, [String.raw`a\b[]`]],
    ['ü b-c$', ['ü b-c$']],
  ])('reads %s', (text, steps) => {
    expect(parseBodyPath(text)).toEqual(steps);
  });

  it.each(['', '..', 'a.', '.a', 'a..b', 'a[', 'a]', 'a[0]', '[]a', 'a[]b', String.raw`a\b`, '\\', 'a.[]'])(
    'refuses %j',
    (text) => {
      expect(() => parseBodyPath(text)).toThrow('expected names between dots');
    },
  );

  it('takes 32 steps and no more', () => {
    expect(parseBodyPath(Array(32).fill('a').join('.'))).toHaveLength(32);
    expect(() => parseBodyPath(Array(33).fill('a').join('.'))).toThrow('at most 32');
  });
});

describe('an operation', () => {
  it.each([
    [{ keep: ['user.name', 'items[].id'] }, { user: { name: 'Ada' }, items: [{ id: 1 }, { id: 2 }] }],
    [{ keep: ['user', 'user.name'] }, { user: PERSON.user }],
    [{ keep: ['user[].name', 'items.id', 'none'] }, {}],
    [{ remove: ['user.ssn', 'items[].a', String.raw`x\.y`, 'no.where'] }, { user: { name: 'Ada' }, items: [{ id: 1 }, { id: 2 }] }],
    [{ rename: { 'user.name': 'fullName', 'items[].id': 'no' } }, { user: { fullName: 'Ada', ssn: '1' }, items: [{ no: 1, a: { b: 2 } }, { no: 2 }], 'x.y': 3 }],
    [{ move: { 'user.name': 'who.name', 'items[].a.b': 'items[].b' } }, { user: { ssn: '1' }, items: [{ id: 1, a: {}, b: 2 }, { id: 2 }], 'x.y': 3, who: { name: 'Ada' } }],
    [{ move: { user: 'user.inner' } }, { items: PERSON.items, 'x.y': 3, user: { inner: PERSON.user } }],
    [{ default: { 'user.name': 'x', 'items[].a': 0, 'deep.er': 1 } }, { ...PERSON, items: [{ id: 1, a: { b: 2 } }, { id: 2, a: 0 }], deep: { er: 1 } }],
    [{ wrap: 'data' }, { data: PERSON }],
    [{ wrap: { 'user.name': 'text', 'items[]': 'node' } }, { ...PERSON, user: { name: { text: 'Ada' }, ssn: '1' }, items: PERSON.items.map((node) => ({ node })) }],
    [{ wrap: { user: '[]' } }, { ...PERSON, user: [PERSON.user] }],
    [{ unwrap: 'user' }, PERSON.user],
    [{ unwrap: ['user.name', 'items[].id', 'none.at'] }, { ...PERSON, user: 'Ada', items: [1, 2] }],
  ])('%j', (operation, made) => {
    const before = structuredClone(PERSON);
    expect(compileOperation(bodyOperation.parse(operation))(PERSON)).toEqual(made);
    expect(PERSON).toEqual(before);
  }); // prettier-ignore

  it.each([
    [{ unwrap: 'list[]' }, { list: [1] }, { list: 1 }],
    [{ unwrap: 'list[]' }, { list: [1, 2] }, { list: [1, 2] }],
    [{ move: { a: 'b.c' } }, { a: 1, b: 'in the way' }, { a: 1, b: 'in the way' }],
    [{ keep: ['a'] }, [{ a: 1 }], []],
    [{ keep: ['a'] }, 'text', null],
    [{ keep: ['[].a'] }, [{ a: 1, b: 2 }, 3], [{ a: 1 }]],
    [{ remove: ['a'] }, 'text', 'text'],
    [{ default: { a: 1 } }, { a: null }, { a: null }],
    [{ rename: { a: 'b' } }, { b: 1, a: 2 }, { b: 2 }],
  ])('%j of %j', (operation, value, made) => {
    expect(compileOperation(bodyOperation.parse(operation))(value)).toEqual(made);
  });

  it('keeps a field called __proto__ a field', () => {
    const value: unknown = JSON.parse('{"__proto__":{"a":1},"b":2}');
    const run = (operation: object): string =>
      JSON.stringify(compileOperation(bodyOperation.parse(operation))(value));
    expect(run({ remove: ['b'] })).toBe('{"__proto__":{"a":1}}');
    expect(run({ keep: ['__proto__'] })).toBe('{"__proto__":{"a":1}}');
    expect(run({ rename: { b: '__proto__' } })).toBe('{"__proto__":2}');
    expect(run({ default: JSON.parse('{"__proto__.x":1}') as object })).toBe(
      '{"__proto__":{"a":1,"x":1},"b":2}',
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each([
    [{}, [], 'expected one of keep'],
    [{ keep: ['a'], remove: ['b'] }, [], 'expected one of keep'],
    [{ remove: ['a', 'b[]'] }, ['remove', 1], 'expected a path to a field'],
    [{ keep: ['a..b'] }, ['keep', 0], 'expected names between dots'],
    [{ rename: { a: 'b.c' } }, ['rename', 'a'], 'expected the name of a field'],
    [{ move: { 'a[].b': 'c' } }, ['move', 'a[].b'], 'expected the same lists'],
    [{ move: { 'a[].b': 'c[].b' } }, ['move', 'a[].b'], 'expected the same lists'],
    [{ unwrap: ['.'] }, ['unwrap', 0], 'expected a path to a field, or to a list'],
    [{ default: { '': 1 } }, ['default', ''], 'expected names between dots'],
    [{ wrap: 'a.b' }, ['wrap'], 'expected the name of a field'],
  ])('refuses %j at %j', (operation, path, message) => {
    const { error } = bodyOperation.safeParse(operation);
    expect(error?.issues[0]?.path).toEqual(path);
    expect(error?.issues[0]?.message).toContain(message);
  });
});
