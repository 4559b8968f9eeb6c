import { describe, expect, it } from '@jest/globals';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { Documents, isFaults } from './documents.ts';
import { GRAPHQL_DEFAULTS } from '../door/graphql.options.ts';

const schema = buildSchema(`
  scalar Any
  input In { c: In n: Int }
  type T { id: ID t: T }
  type Query { hello: String t: T any(x: Any): String in(i: In): String }
`);
const defaults = { ...GRAPHQL_DEFAULTS, production: false };

function faults(text: string, limits: Partial<typeof defaults> = {}, name?: string): readonly string[] {
  const found = new Documents(schema, { ...defaults, ...limits }).find(text, name);
  return isFaults(found) ? found.map(({ message }) => message) : [];
}

const times = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');
const nested = (depth: number, open: string, inside: string, close: string): string =>
  open.repeat(depth) + inside + close.repeat(depth);
const operations = (count: number): string => times(count, (index) => `query Q${index} { hello }`);
/** Fragments that lead one to the next; the last one ends. */
const chain = (length: number): string =>
  `{ ...F0 } ${times(length, (index) => `fragment F${index} on Query { ...F${index + 1} }`)} fragment F${length} on Query { hello }`;

describe('the bounds of a document', () => {
  type Bound = [what: string, at: string, beyond: string, message: string];
  const VALUES = 'Values are nested more than 32 levels deep.';
  const SELECTIONS = 'Selections are nested more than 200 levels deep.';
  const MERGES = 'More than 20000 pairs of fields meet at the same places; select each field once.';
  const repeated = (count: number, field: string): string => `{ t { ${times(count, () => field)} } }`;
  const BOUNDS: readonly Bound[] = [
    ['operations', operations(10), operations(11), 'The document has more than 10 operations.'],
    [
      'lists in an argument',
      `{ any(x: ${nested(32, '[', '1', ']')}) }`,
      `{ any(x: ${nested(33, '[', '1', ']')}) }`,
      VALUES,
    ],
    [
      'objects in an argument',
      `{ in(i: ${nested(32, '{ c: ', 'null', ' }')}) }`,
      `{ in(i: ${nested(33, '{ c: ', 'null', ' }')}) }`,
      VALUES,
    ],
    [
      'lists in a default value',
      `query($a: Any = ${nested(32, '[', '1', ']')}) { any(x: $a) }`,
      `query($a: Any = ${nested(33, '[', '1', ']')}) { any(x: $a) }`,
      VALUES,
    ],
    [
      'inline fragments',
      nested(199, '{ ... ', '{ hello }', ' }'),
      nested(200, '{ ... ', '{ hello }', ' }'),
      SELECTIONS,
    ],
    ['fragments in fragments', chain(198), chain(199), SELECTIONS],
    // 200 fields are 19,900 pairs.
    ['fields that meet', repeated(200, 'id'), repeated(201, 'id'), MERGES],
    ['fields that meet below others', repeated(141, 't { id }'), repeated(142, 't { id }'), MERGES],
  ];

  it.each(BOUNDS)('let pass as many %s as allowed, and refuse one more', (_what, at, beyond, message) => {
    const name = at.includes('Q0') ? 'Q0' : undefined;
    expect(faults(at, {}, name)).toEqual([]);
    expect(faults(beyond, {}, name)).toEqual([message]);
  });

  it.each([
    ['1 900 open lists', `{ any(x: ${'['.repeat(1900)}`, VALUES],
    ['lists of types', `query($a: ${nested(900, '[', 'Int', ']')}) { hello }`, VALUES],
    ['a directive on a variable', `query($a: Int @x(y: ${'['.repeat(900)}`, VALUES],
    ['open selections', '{ t '.repeat(900), SELECTIONS],
    [
      '150 operations with a fragment',
      `${times(150, (i) => `query Q${i} { ...F }`)} fragment F on Query { hello }`,
      'The document has more than 10 operations.',
    ],
    [
      'fragments that nobody spreads',
      `{ hello } fragment F on T { ${times(1900, () => 'id')} }`,
      'Fragment "F" is never used.',
    ],
    [
      'a fragment that spreads itself',
      '{ t { ...F } } fragment F on T { t { ...F } }',
      'Cannot spread fragment "F" within itself.',
    ],
  ])('refuse %s at once', (_what, text, message) => {
    expect(faults(text)).toEqual([message]);
  });

  it('can be set', () => {
    expect(faults(operations(3), { maxOperations: 2 }, 'Q0')).toEqual([
      'The document has more than 2 operations.',
    ]);
    expect(faults('{ any(x: [[1]]) }', { maxValueDepth: 1 })).toEqual([
      'Values are nested more than 1 levels deep.',
    ]);
    expect(faults('{ t { id id id } }', { maxMerges: 2 })).toHaveLength(1);
    expect(faults('{ t { id id id } }', { maxMerges: 3 })).toEqual([]);
  });

  it('count what is asked for below __schema and __type', () => {
    const aliases = (count: number): string =>
      `{ __schema { types { ${times(count, (index) => `a${index}: name`)} } } }`;
    expect(faults(aliases(5))).toEqual([]);
    expect(faults(aliases(6))).toEqual(['The operation has more than 50 aliases.']);
    const spreads = `{ __schema { types { ${times(9, () => '...A')} } } } fragment A on __Type { ${times(9, () => '...B')} } fragment B on __Type { ${times(13, () => 'name')} }`;
    expect(faults(spreads)).toEqual(['The operation selects more than 1000 fields of the schema itself.']);
  });

  it('tell at most five mistakes', () => {
    expect(faults(`{ ${times(5, (index) => `nothing${index}`)} }`)).toHaveLength(5);
    expect(faults(`{ ${times(19, (index) => `nothing${index}`)} }`)).toHaveLength(5);
  });
});

describe('the operations of a document', () => {
  /** Counts how often something of an operation is looked at: each look begins with its root type. */
  function counting(): { readonly counted: GraphQLSchema; readonly looks: () => number } {
    let looks = 0;
    const getRootType: GraphQLSchema['getRootType'] = (operation) => {
      looks += 1;
      return schema.getRootType(operation);
    };
    const counted = Object.create(schema, { getRootType: { value: getRootType } }) as GraphQLSchema;
    return { counted, looks: () => looks };
  }

  /** How much is done when another operation of a known document is asked for, and when it is again. */
  function workFor(count: number): { readonly first: number; readonly again: number } {
    const { counted, looks } = counting();
    const documents = new Documents(counted, {
      ...defaults,
      cost: { max: 100, mode: 'enforce', listSize: 10 },
    });
    documents.find(operations(count), 'Q0');
    const before = looks();
    documents.find(operations(count), 'Q1');
    const first = looks() - before;
    documents.find(operations(count), 'Q1');
    return { first, again: looks() - before - first };
  }

  it('are prepared when they are asked for, once, whatever others there are', () => {
    const alone = workFor(2);
    expect(alone.first).toBeGreaterThan(0);
    expect(alone.again).toBe(0);
    expect(workFor(10)).toEqual(alone);
  });

  it('run with the fragments that they need', () => {
    const documents = new Documents(schema, defaults);
    const text = `query A { ...F } query B { t { ...G } } fragment F on Query { ...H } fragment G on T { id } fragment H on Query { hello }`;
    for (const name of ['A', 'B', 'A']) {
      const found = documents.find(text, name);
      if (isFaults(found)) throw new Error(found.join());
      found.operation.compileNow();
      expect(found.operation.state).toBe('compiled');
    }
  });
});
