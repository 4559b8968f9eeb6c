import { createHash } from 'node:crypto';
import { graphqlPost, shoot, type Attack, type Battlefield } from '../attack.ts';

function attack(name: string, perSecond: number, body: (turn: number) => unknown): Attack {
  const strike = (field: Battlefield, turn: number): Promise<void> =>
    shoot(field, turn, { text: graphqlPost(field, turn, body(turn)) });
  return { name, perSecond, atOnce: 20, strike };
}

const SHARED = 'fragment F on Query { homepage { user { name email roles } feed { items { id title } } } }';

/** Documents that are small to send and dear to read. */
export const documents: readonly Attack[] = [
  attack('150 operations that share a fragment', 2, (turn) => ({
    query: `${SHARED} ${Array.from({ length: 150 }, (_, i) => `query Q${turn}x${i} { ...F }`).join(' ')}`,
    operationName: `Q${turn}x7`,
  })),
  attack('398 operations', 2, (turn) => ({
    query: Array.from({ length: 398 }, (_, i) => `query A${turn}x${i} { __typename }`).join(' '),
    operationName: `A${turn}x1`,
  })),
  attack('values that nest 1 900 deep', 2, (turn) => ({
    query: `query N${turn} { feed(first: ${'['.repeat(1900)}${']'.repeat(1900)}) { id } }`,
  })),
  attack('variables that nest deep', 2, () => ({
    query: 'query ($n: Int) { feed(first: $n) { id } }',
    variables: JSON.parse(`{"n":${'['.repeat(5000)}${']'.repeat(5000)}}`) as unknown,
  })),
  attack('aliases without number', 2, (turn) => ({
    query: `query L${turn} { ${Array.from({ length: 400 }, (_, i) => `a${i}: __typename`).join(' ')} }`,
  })),
  attack('null for what has a default, and wrong variables', 5, () => ({
    query: 'query ($f: Int, $i: Boolean!) { feed(first: $f) @include(if: $i) { id } }',
    variables: { f: null, i: 'no' },
  })),
  attack('persisted documents, each another', 20, (turn) => {
    const query = `query P${turn} { homepage { user { name } } } # ${'x'.repeat(3000)}`;
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    return { query, extensions: { persistedQuery: { version: 1, sha256Hash } } };
  }),
];
