import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { alternativesAt, validKeysAt } from './schema-walk.ts';

const leaf = z.strictObject({ alpha: z.string(), beta: z.number() });
const keysAt = (schema: z.ZodType, path: (string | number)[], root: unknown = {}) =>
  validKeysAt({ schema, path: [] }, path, root);

interface Tree {
  name: string;
  children: Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ name: z.string(), children: z.array(tree) }));

describe('validKeysAt', () => {
  it.each<[string, z.ZodType]>([
    ['optional', leaf.optional()],
    ['nullable', leaf.nullable()],
    ['default', leaf.default({ alpha: '', beta: 0 })],
    ['prefault', leaf.prefault({ alpha: '', beta: 0 })],
    ['catch', leaf.catch({ alpha: '', beta: 0 })],
    ['readonly', leaf.readonly()],
    ['refine', leaf.refine(() => true)],
    ['transform', leaf.transform(() => 1)],
    ['pipe', leaf.transform(() => 1).pipe(z.number())],
    ['preprocess', z.preprocess((value) => value, leaf)],
    ['describe', leaf.describe('x')],
    ['lazy', z.lazy(() => leaf)],
    ['union', z.union([z.string(), leaf])],
    ['several at once', z.union([z.string(), leaf.transform(() => 1).optional()]).default('x')],
  ])('sees through %s', (_title, schema) => {
    expect(keysAt(schema, [])).toEqual(['alpha', 'beta']);
    expect(keysAt(z.object({ inner: schema }), ['inner'])).toEqual(['alpha', 'beta']);
  });

  it('steps into lists, tuples, records, catch-alls and itself', () => {
    expect(keysAt(z.array(leaf), [3])).toEqual(['alpha', 'beta']);
    expect(keysAt(z.tuple([z.string(), leaf]), [1])).toEqual(['alpha', 'beta']);
    expect(keysAt(z.tuple([z.string()], leaf), [5])).toEqual(['alpha', 'beta']);
    expect(keysAt(z.record(z.string(), leaf), ['any'])).toEqual(['alpha', 'beta']);
    expect(keysAt(z.object({}).catchall(leaf), ['any'])).toEqual(['alpha', 'beta']);
    expect(keysAt(tree, ['children', 0, 'children', 1])).toEqual(['name', 'children']);
  });

  it('joins what an intersection or several alternatives allow', () => {
    const other = z.strictObject({ beta: z.number(), gamma: z.string() });
    expect(keysAt(z.intersection(leaf, other), [])).toEqual(['alpha', 'beta', 'gamma']);
    expect(keysAt(z.union([leaf, other]), [])).toEqual(['alpha', 'beta', 'gamma']);
  });

  it('keeps to the alternative that its discriminator names', () => {
    const schema = z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('a'), one: z.string() }),
      z.strictObject({ kind: z.literal('b'), two: z.string() }),
    ]);
    expect(keysAt(schema, [], { kind: 'b' })).toEqual(['kind', 'two']);
    expect(keysAt(schema, [], { kind: 'c' })).toEqual(['kind', 'one', 'two']);
  });

  it('lists the keys of a record that has a fixed set of them', () => {
    expect(keysAt(z.partialRecord(z.enum(['ip', 'principal']), z.number()), [])).toEqual(['ip', 'principal']);
    expect(keysAt(z.record(z.string(), z.number()), [])).toEqual([]);
  });

  it('knows no keys where the path leads nowhere, also by inherited names', () => {
    expect(keysAt(leaf, ['nope', 'deeper'])).toEqual([]);
    expect(keysAt(leaf, ['constructor'])).toEqual([]);
    expect(validKeysAt({ schema: undefined, path: [] }, ['x'], {})).toEqual([]);
  });

  it('starts from the middle of a document', () => {
    const root = { a: [{ inner: {} }] };
    const scope = { schema: z.object({ inner: leaf }), path: ['a', 0] };
    expect(validKeysAt(scope, ['a', 0, 'inner'], root)).toEqual(['alpha', 'beta']);
  });
});

describe('alternativesAt', () => {
  it('finds the union with as many alternatives as were tried', () => {
    const two = z.union([z.string(), leaf]);
    const schema = z.object({ x: two.transform(() => 1).optional() });
    expect(alternativesAt({ schema, path: [] }, ['x'], {}, 2)).toEqual(two.options);
    expect(alternativesAt({ schema, path: [] }, ['x'], {}, 3)).toEqual([]);
  });
});
