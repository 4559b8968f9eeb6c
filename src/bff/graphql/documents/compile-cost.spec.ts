import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse, type OperationDefinitionNode } from 'graphql';
import { piecesOf } from './compile-cost.ts';

const kinds = Array.from({ length: 12 }, (_, i) => `type T${i} implements Node { id: ID node: Node }`);
const schema = buildSchema(`
  interface Node { id: ID node: Node }
  ${kinds.join('\n')}
  input Tree { label: String left: Tree right: Tree }
  input Flat { a: Int b: Int }
  type Query { node: Node t: T0 find(tree: Tree, flat: Flat): ID }
`);

function pieces(text: string): number | undefined {
  const document = parse(text);
  return piecesOf(schema, document, document.definitions[0] as OperationDefinitionNode);
}

describe('the pieces of code of an operation', () => {
  const OPERATIONS: [string, number | undefined][] = [
    ['{ t { id node { id } } }', 3 + 12],
    ['query($flat: [Flat!]!) { find(flat: $flat) }', 1],
    ['{ find(tree: { left: { label: "x" } }) }', 1],
    ['{ ...F } fragment F on Query { t { id } }', 3],
    // Variables cost nothing: they are read before.
    ['query($tree: [[Tree]]) { find(tree: $tree) }', 1],
    // Twelve types at each of four places: 20,736 paths.
    ['{ node { node { node { node { id } } } } }', undefined],
    [
      '{ ...F } fragment F on Query { node { ...G } } fragment G on Node { node { node { node { id } } } }',
      undefined,
    ],
  ];

  it.each(OPERATIONS)('are for %s: %p', (text, expected) => {
    expect(pieces(text)).toBe(expected);
  });
});
