import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse, type OperationDefinitionNode } from 'graphql';
import { isWorthCompiling } from './compile-cost.ts';

const kinds = Array.from({ length: 12 }, (_, i) => `type T${i} implements Node { id: ID node: Node }`);
const schema = buildSchema(`
  interface Node { id: ID node: Node }
  ${kinds.join('\n')}
  input Tree { label: String left: Tree right: Tree }
  input Flat { a: Int b: Int }
  type Query { node: Node t: T0 find(tree: Tree, flat: Flat): ID }
`);

function worth(text: string): boolean {
  const document = parse(text);
  return isWorthCompiling(schema, document, document.definitions[0] as OperationDefinitionNode);
}

describe('an operation is worth compiling', () => {
  it.each([
    ['{ t { id node { id } } }', true],
    ['query($flat: [Flat!]!) { find(flat: $flat) }', true],
    ['{ find(tree: { left: { label: "x" } }) }', true],
    ['{ ...F } fragment F on Query { t { id } }', true],
    // Code without end.
    ['query($tree: Tree) { find(tree: $tree) }', false],
    ['query($tree: [[Tree]]) { find(tree: $tree) }', false],
    // Twelve types at each of four places: 20,736 paths.
    ['{ node { node { node { node { id } } } } }', false],
    [
      '{ ...F } fragment F on Query { node { ...G } } fragment G on Node { node { node { node { id } } } }',
      false,
    ],
  ])('%s: %p', (text, expected) => {
    expect(worth(text)).toBe(expected);
  });
});
