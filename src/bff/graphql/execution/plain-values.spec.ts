import { describe, expect, it } from '@jest/globals';
import { buildSchema, coerceInputValue, parseType, typeFromAST, type GraphQLInputType } from 'graphql';
import { NOT_PLAIN, plainReader } from './plain-values.ts';

const schema = buildSchema(`
  scalar Any
  enum Color { RED GREEN }
  input In { n: Int! = 3 c: Color again: In list: [String!] }
  input Needs { n: Int! any: Any }
  input One @oneOf { a: Int b: Int }
  type Query { hello(in: In, needs: Needs, one: One, c: Color, a: Any): String }
`);
const typeOf = (text: string): GraphQLInputType =>
  typeFromAST(schema, parseType(text) as never) as unknown as GraphQLInputType;

const TYPES = ['Int', 'Int!', 'Float!', 'String', 'ID!', 'Boolean', 'Color', 'Any'].concat([
  '[Int!]',
  '[[Int]]!',
  'In',
  'In!',
  '[In]',
  'Needs',
  'One',
]);
const TEXTS = [
  'null',
  '0',
  '-1',
  '2147483647',
  '2147483648',
  '-2147483649',
  '1.5',
  '1e400',
  '"x"',
  '"RED"',
].concat(
  ['true', '[]', '[1]', '[null]', '[[1],null]', '{}', '{"n":1}', '{"n":null}', '{"c":"RED","again":{"n":1}}'],
  [
    '{"c":"BLUE"}',
    '{"list":["a",null]}',
    '{"list":[]}',
    '{"more":1}',
    '{"__proto__":1}',
    '{"a":1}',
    '{"n":1,"any":1}',
  ],
);

/** What graphql-js reads; undefined when it refuses. */
function expected(value: unknown, type: GraphQLInputType): { readonly value: unknown } | undefined {
  let isRefused = false;
  const read: unknown = coerceInputValue(value, type, () => (isRefused = true));
  return isRefused ? undefined : { value: read };
}

describe('the reader of plain values', () => {
  it.each(TYPES)('reads what graphql-js reads as %s, or leaves it', (text) => {
    const type = typeOf(text);
    const read = plainReader(type);
    let plain = 0;
    for (const json of TEXTS) {
      const value: unknown = JSON.parse(json);
      const found = read(value);
      if (found === NOT_PLAIN) continue;
      plain += 1;
      expect([json, { value: found }]).toEqual([json, expected(value, type)]);
    }
    // Scalars of the schema, and what must have exactly one of its fields, are never plain.
    expect(plain).toBeGreaterThan(0);
  });

  it('makes a value of its own each time', () => {
    const read = plainReader(typeOf('In'));
    const value = { list: ['a'] };
    expect(read(value)).toEqual({ n: 3, list: ['a'] });
    expect(read(value)).not.toBe(read(value));
  });
});
