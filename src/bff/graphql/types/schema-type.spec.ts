import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory, Query, Resolver } from '@nestjs/graphql';
import { isObjectType, printType, type GraphQLSchema } from 'graphql';
import { z } from 'zod';
import { graphqlType } from './schema-type.ts';

let builder: INestApplicationContext;
beforeAll(async () => {
  builder = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
});
afterAll(() => builder.close());

async function schemaOf(schema: z.ZodType): Promise<GraphQLSchema> {
  const type = graphqlType(schema);
  @Resolver()
  class OneResolver {
    @Query(() => type, { nullable: true })
    one(): null {
      return null;
    }
  }
  return builder.get(GraphQLSchemaFactory).create([OneResolver]);
}

const inner = z.object({ a: z.string() }).meta({ id: 'TableInner' });
interface Tree {
  name: string;
  children: Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => treeCore);
const treeCore = z.object({ name: z.string(), children: z.array(tree) }).meta({ id: 'TableTree' });

/** What a property of a schema is as a field. */
const FIELDS: readonly (readonly [property: string, schema: z.ZodType, field: string])[] = [
  ['text', z.string().min(2).trim(), 'String!'],
  ['id', z.string(), 'ID!'],
  ['authorId', z.uuid(), 'ID!'],
  ['authorIds', z.array(z.string()), '[ID!]!'],
  ['paid', z.string(), 'String!'],
  ['orderId', z.string().meta({ graphql: 'String' }), 'String!'],
  ['code', z.string().meta({ graphql: 'ID' }), 'ID!'],
  ['whole', z.int(), 'Int!'],
  ['checked', z.number().int(), 'Int!'],
  ['small', z.int32(), 'Int!'],
  ['number', z.number(), 'Float!'],
  ['big', z.int().meta({ graphql: 'Float' }), 'Float!'],
  ['flag', z.boolean(), 'Boolean!'],
  ['moment', z.date(), 'DateTime!'],
  ['time', z.iso.datetime(), 'String!'],
  ['nullable', z.string().nullable(), 'String'],
  ['optional', z.string().optional(), 'String'],
  ['nullish', z.string().nullish(), 'String'],
  ['orNull', z.union([z.string(), z.null()]), 'String'],
  ['filled', z.string().default('x'), 'String!'],
  ['filledOptional', z.string().optional().default('x'), 'String!'],
  ['caught', z.string().catch('x'), 'String!'],
  ['readonly', z.array(z.string()).readonly(), '[String!]!'],
  ['gaps', z.array(z.string().nullable()), '[String]!'],
  ['maybe', z.array(z.string().nullable()).optional(), '[String]'],
  ['lists', z.array(z.array(z.string())), '[[String!]!]!'],
  ['literal', z.literal(['a', 'b']), 'String!'],
  ['answer', z.literal(42), 'Int!'],
  ['piped', z.string().pipe(z.string()), 'String!'],
  ['object', inner, 'TableInner!'],
  ['objects', z.array(inner.readonly()), '[TableInner!]!'],
  ['nameless', z.object({ a: z.string() }), 'TableNameless!'],
  ['state', z.enum(['open', 'closed']), 'TableState!'],
  ['level', z.enum(['low', 'high']).meta({ id: 'TableLevel' }), 'TableLevel!'],
  ['odd', z.enum(['out-of-stock']).meta({ graphql: 'String' }), 'String!'],
  ['tree', tree, 'TableTree!'],
  [
    'event',
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), a: z.string() }).meta({ id: 'TableA' }),
      z.object({ kind: z.enum(['b', 'c']), b: z.string() }).meta({ id: 'TableB' }),
    ]),
    'TableEvent!',
  ],
];

describe('a schema as a type of GraphQL', () => {
  let schema: GraphQLSchema;
  beforeAll(async () => {
    const shape = Object.fromEntries(FIELDS.map(([property, one]) => [property, one]));
    const left = z.record(z.string(), z.string()).meta({ graphql: false });
    schema = await schemaOf(z.object({ ...shape, left }).meta({ id: 'Table', description: 'All kinds.' }));
  });

  it.each(FIELDS)('shows %s', (property, _, field) => {
    const type = schema.getType('Table');
    expect(String(isObjectType(type) && type.getFields()[property]?.type)).toBe(field);
  });

  it('has its description, and no field that is left out', () => {
    const type = schema.getType('Table');
    expect(type?.description).toBe('All kinds.');
    expect(isObjectType(type) && 'left' in type.getFields()).toBe(false);
  });

  it('names the values of enums as JSON does, and the members of unions', () => {
    const printed = ['TableState', 'TableEvent'].map((name) => printType(schema.getType(name) as never));
    expect(printed).toEqual(['enum TableState {\n  open\n  closed\n}', 'union TableEvent = TableA | TableB']);
  });

  it('is one type, wherever it stands', () => {
    expect(graphqlType(inner)).toBe(graphqlType(inner.readonly()));
  });
});

describe('what GraphQL cannot show', () => {
  const FAULTS: readonly (readonly [what: string, schema: z.ZodType, fault: RegExp])[] = [
    ['a record', z.record(z.string(), z.string()), /^Bad\.it is a record, .*graphql: false/],
    ['anything', z.any(), /^Bad\.it is a any,/],
    ['a tuple', z.tuple([z.string()]), /^Bad\.it is a tuple,/],
    ['a map', z.map(z.string(), z.string()), /^Bad\.it is a map,/],
    ['a big integer', z.bigint(), /^Bad\.it is a bigint,/],
    ['what a function makes', z.string().transform((text) => text), /^Bad\.it is a transform,/],
    ['a union of scalars', z.union([z.string(), z.number()]), /^Bad\.it is a union that nothing tells apart/],
    ['a literal of two kinds', z.literal(['a', 1]), /^Bad\.it is a literal of several kinds/],
    ['values that are no names', z.enum(['a-b']), /^Bad\.it has the value "a-b", .*graphql: 'String'/],
    ['numbers as values', z.enum({ A: 1 }), /^Bad\.it has the value 1,/],
    ['an object without fields', z.object({}), /^Bad\.it is an object without fields/],
    ['gaps in lists of lists', z.array(z.array(z.string().nullable())), /^Bad\.it\[\] is a list in a list/],
    ['deep inside', z.array(z.object({ a: z.any() })), /^Bad\.it\[\]\.a is a any/],
    ['a name that is none', z.object({ 'a-b': z.string() }), /^Bad\.it\.a-b is no name of GraphQL/],
    ['a masked element', z.array(z.string().meta({ mask: { unless: 'role:a' } })), /^Bad\.it\[\] is masked/],
    [
      'a mask of no field',
      z.string().meta({ graphql: false, mask: { unless: 'role:a' } }),
      /^Bad\.it has a mask, which holds for fields/,
    ],
  ];

  const masked = z.object({ deep: z.array(z.string()).meta({ mask: { unless: 'role:a' } }) });
  /** Where a mask would hold for nobody, though a field around it is left out or shown as something else. */
  const LOST: readonly (readonly [what: string, schema: z.ZodType, path: string])[] = [
    ['what is left out', masked.meta({ graphql: false }), '.deep'],
    ['a record that is left out', z.record(z.string(), masked).meta({ graphql: false }), '[].deep'],
    ['lists of what is left out', z.array(masked.meta({ graphql: false })), '[].deep'],
    ['what is shown as a text', masked.meta({ graphql: 'String' }), '.deep'],
    ['what a function has made something else of', masked.transform(() => 'a').pipe(z.string()), '.deep'],
    ['an object with more than it names', z.object({ a: z.string() }).catchall(masked), '.*.deep'],
    [
      'a member of a union',
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a') }).meta({ id: 'LostA', mask: { unless: 'role:a' } }),
        z.object({ kind: z.literal('b') }).meta({ id: 'LostB' }),
      ]),
      '',
    ],
  ];

  it.each(LOST)('is a fault where a mask is lost within: %s', (_, it_, path) => {
    const lost = `Lost.it${path} has a mask, which holds for fields of GraphQL only`;
    expect(() => graphqlType(z.object({ it: it_ }).meta({ id: 'Lost' }))).toThrow(lost);
  });

  it.each(FAULTS)('is a fault with its path: %s', (_, it_, fault) => {
    expect(() => graphqlType(z.object({ it: it_ }).meta({ id: 'Bad' }))).toThrow(fault);
  });

  it('is told all at once', () => {
    const schema = z.object({ a: z.any(), b: z.bigint() }).meta({ id: 'Bad' });
    expect(() => graphqlType(schema)).toThrow(/Bad\.a .*\nBad\.b /);
    // Again: nobody gets a type that lacks fields.
    expect(() => graphqlType(schema)).toThrow(/Bad\.a .*\nBad\.b /);
  });

  it('is an object without a name', () => {
    expect(() => graphqlType(z.object({ a: z.string() }))).toThrow(/an object with a name/);
    expect(() => graphqlType(z.string().meta({ id: 'Text' }))).toThrow(/an object with a name/);
  });
});
