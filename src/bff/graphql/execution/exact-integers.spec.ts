import { describe, expect, it } from '@jest/globals';
import { buildSchema, Kind, parse, type OperationDefinitionNode } from 'graphql';
import { exactVariables, MOST_MISTAKES, parseExactly } from './exact-integers.ts';

const LONG = '9007199254740993';

describe('parseExactly', () => {
  it.each([
    LONG,
    `{"__proto__":${LONG},"constructor":[{"a":[${LONG}]}],"b":{}}`,
    `{"a":"${LONG}","b":[1,null,true,"",-${LONG},1.5e300,{"c":${LONG}}]}`,
    `["\\u0022${LONG}","\\\\",${LONG}]`,
  ])('sees in %s what JSON.parse sees', (text) => {
    const seen = parseExactly(text);
    expect(JSON.stringify(seen)).toBe(JSON.stringify(JSON.parse(text)));
  });
});

describe('exactVariables', () => {
  const schema = buildSchema(`
    scalar Anything
    input Box { id: ID, boxes: [Box!], any: Anything }
    type Query { box(box: Box, ids: [ID!], any: Anything): Int }
  `);
  const exact = (types: string, variables: string): ReturnType<typeof exactVariables> => {
    const [node] = parse(`query(${types}) { box }`).definitions as [OperationDefinitionNode];
    expect(node.kind).toBe(Kind.OPERATION_DEFINITION);
    return exactVariables(schema, node.variableDefinitions ?? [], parseExactly(variables) as object as never);
  };

  it('gives digits back wherever an ID is, and leaves what has none', () => {
    expect(exact('$ids: [ID!]', `{"ids":["a",1,${LONG},null,-${LONG}]}`)).toEqual({
      ids: ['a', 1, LONG, null, `-${LONG}`],
    });
    expect(exact('$box: Box', `{"box":{"boxes":[{"id":1},{"id":${LONG}},{}]}}`)).toEqual({
      box: { boxes: [{ id: 1 }, { id: LONG }, {}] },
    });
  });

  it('leaves a list where an object has to be', () => {
    expect(exact('$box: Box', `{"box":[${LONG},1]}`)).toEqual({ box: [Number(LONG), 1] });
  });

  it.each(['$any: Anything', '$box: Box'])('tells at most five mistakes of %s', (types) => {
    const numbers = `[${Array.from({ length: 6000 }, () => LONG).join()}]`;
    const faults = exact(types, types === '$box: Box' ? `{"box":{"any":${numbers}}}` : `{"any":${numbers}}`);
    expect(faults).toHaveLength(MOST_MISTAKES);
  });
});
