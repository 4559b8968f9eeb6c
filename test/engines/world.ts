import {
  buildSchema,
  getNullableType,
  GraphQLError,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type GraphQLEnumType,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  type GraphQLSchema,
} from 'graphql';
import { pathOf, type OperationContext } from '../../src/bff/graphql/execution/operation-context.ts';
import { alignEngines } from '../../src/bff/graphql/execution/align-engines.ts';
import { Problem } from '../../src/problems/problem.ts';
import { Random, seedOf } from './random.ts';

const FIELDS = `
  text: String  count: Int  ratio: Float  flag: Boolean  color: Color  money: Money
  tags: [String!]  matrix: [[Int]]  sureText: String!  sureCount: Int!  sureTags: [String!]!
  slow: String @resolved
  sure: Float! @resolved
  echo(text: String = "none", count: Int!, colors: [Color!] = [GREEN], point: Point, any: Anything, money: Money,
    nested: [[Int]] = [[1]]): String @resolved
  many(first: Int = 2): [Int] @resolved
  friend: Person  home: Place! parts: [Robot!]  boxes: [[Place]]
  owner: Person @resolved  bot(name: String): Robot! @resolved  places(first: Int): [Place!]! @resolved
  things: [Thing] @resolved  thing: Thing  sureThing: Thing!  named: Named @resolved  nodes: [Node!] @resolved
`;

/** One of everything that the two engines could treat differently. `@resolved` fields have a resolver. */
const SDL = `
  directive @resolved on FIELD_DEFINITION
  enum Color { RED GREEN BLUE }
  scalar Money
  scalar Anything
  interface Node { id: ID! text: String }
  interface Named implements Node { id: ID! text: String sureText: String! slow: String friend: Person }
  type Person implements Named & Node { id: ID! age: Int ${FIELDS} }
  type Robot implements Named & Node { id: ID! model(long: Boolean): String @resolved ${FIELDS} }
  type Place implements Node { id: ID! at: Position ${FIELDS} }
  type Position { x: Float! y: Float label: String @resolved }
  union Thing = Person | Robot | Place
  input Point { x: Int! = 1 y: Float tags: [String!] color: Color = BLUE inner: Inner }
  input Inner { color: Color = GREEN money: Money deep: [[Int!]] any: Anything }
  input Endless { text: String more: Endless }
  type Query { id: ID! endless(value: Endless): String @resolved ${FIELDS} }
  type Mutation { id: ID! ${FIELDS} }
`;

const LONGEST_LIST = 3;
const FAULT_SHARE = 0.05;

/** What the resolvers of one run did. */
export class WorldContext {
  /** The places of the resolvers that ran, in the order in which they started. */
  readonly ran: string[] = [];
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }
}

type Source = Readonly<Record<string, unknown>> & { readonly key: string };

/** Contexts of operations, and what belongs to them. */
export const worlds = new WeakMap<OperationContext, WorldContext>();

/**
 * A schema whose data depends on the seed of the run and on the place in the answer, so that every engine finds the
 * same: values of all kinds, `null`, wrong types, errors thrown, rejected and returned, promises of all of them.
 */
export function worldSchema(): GraphQLSchema {
  const schema = buildSchema(SDL);
  scalars(schema);
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type)) type.resolveType = typeOf;
    if (isEnumType(type)) for (const value of type.getValues()) value.value = value.name.toLowerCase();
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isRoot = type.name === 'Query' || type.name === 'Mutation';
    for (const field of Object.values(type.getFields())) {
      const hasResolver = field.astNode?.directives?.some(({ name }) => name.value === 'resolved') === true;
      if (hasResolver || isRoot) field.resolve = resolverOf(schema, field.type);
    }
  }
  alignEngines(schema);
  return schema;
}

/** Finds the type, or cannot, in all ways. */
function typeOf(source: Source): string {
  const random = new Random(seedOf(`${source.key}?`));
  const { __typename: name } = source as { readonly __typename?: string };
  if (!random.chance(0.02) && name !== undefined) return name;
  if (random.chance(0.3)) throw new TypeError('secret');
  return random.pick<unknown>(['Nothing', undefined, Promise.resolve(name), 'Position', 7]) as string;
}

function resolverOf(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
): GraphQLFieldResolver<Source | undefined, OperationContext> {
  return (source, args, context, info) => {
    const world = worlds.get(context);
    if (world === undefined) throw new Error('the context belongs to no world');
    const place = pathOf(info.path).join('.');
    const given = canonical(args);
    world.ran.push(`${place} ${given}`);
    const key = `${source?.key ?? world.seed}/${info.fieldName}${given}`;
    const random = new Random(seedOf(key));
    const faulty = random.chance(FAULT_SHARE);
    if (faulty && random.chance(0.4)) throw faultAt(random);
    const later = random.chance(0.5);
    if (faulty && later) return new Promise((_, reject) => setImmediate(() => reject(faultAt(random))));
    const value = info.fieldName === 'echo' ? given : valueAt(schema, type, key, true);
    if (!later) return value;
    const turns = random.below(4);
    return turns === 0
      ? Promise.resolve(value)
      : new Promise((resolve) => setImmediate(() => resolve(value)));
  };
}

function faultAt(random: Random): unknown {
  return random.pick([
    () => new Problem('upstream-timeout', { extensions: { section: 'x' } }),
    () => new Error('secret'),
    () => new TypeError('secret'),
    () => new GraphQLError('secret', { extensions: { code: 'MINE' } }),
    () => 'secret',
  ])();
}

/** @param fromResolver whether lists may contain promises: those of resolvers may. */
function valueAt(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
  key: string,
  fromResolver: boolean,
): unknown {
  const random = new Random(seedOf(`${key}#`));
  const nullable = getNullableType(type);
  if (random.chance(isNonNullType(type) ? 0.01 : 0.1)) return random.chance(0.5) ? null : undefined;
  if (random.chance(FAULT_SHARE / 2)) return new Problem('permission-denied');
  if (isListType(nullable)) return listAt(schema, nullable.ofType as GraphQLOutputType, key, fromResolver);
  if (isAbstractType(nullable)) {
    const possible = schema.getPossibleTypes(nullable);
    return objectAt(schema, random.pick(possible), key);
  }
  if (isObjectType(nullable)) return objectAt(schema, nullable, key);
  return leafAt(nullable as GraphQLScalarType | GraphQLEnumType, random);
}

function listAt(schema: GraphQLSchema, of: GraphQLOutputType, key: string, fromResolver: boolean): unknown {
  const random = new Random(seedOf(`${key}[]`));
  if (random.chance(0.03)) return random.pick<unknown>(['a string', 7, {}]);
  const items = Array.from({ length: random.below(LONGEST_LIST + 1) }, (_, index) => {
    const item = valueAt(schema, of, `${key}.${index}`, false);
    if (!fromResolver || !random.chance(0.2)) return item;
    if (!random.chance(0.3)) return Promise.resolve(item);
    const rejected = new Promise((_, reject) => setImmediate(() => reject(new Problem('conflict'))));
    rejected.catch(() => {});
    return rejected;
  });
  return fromResolver && random.chance(0.1) ? new Set(items) : items;
}

function objectAt(schema: GraphQLSchema, type: GraphQLObjectType, key: string): Source {
  const source: Record<string, unknown> = { key, __typename: type.name };
  for (const field of Object.values(type.getFields())) {
    if (field.resolve !== undefined) continue;
    // Made when it is read: objects refer to each other without end.
    Object.defineProperty(source, field.name, {
      enumerable: true,
      get: () => propertyAt(schema, field.type, `${key}/${field.name}`),
    });
  }
  return source as Source;
}

/** A value, or what no property should hold. */
function propertyAt(schema: GraphQLSchema, type: GraphQLOutputType, key: string): unknown {
  const random = new Random(seedOf(`${key}!`));
  const value = valueAt(schema, type, key, false);
  if (!random.chance(0.02)) return value;
  return random.chance(0.5) ? Promise.resolve(value) : () => value;
}

function leafAt(type: GraphQLScalarType | GraphQLEnumType, random: Random): unknown {
  if (random.chance(0.03))
    return random.pick<unknown>([{}, [], Number.NaN, 'no such value', -1, 2 ** 40, 1.5]);
  if (isEnumType(type)) return random.pick(['red', 'green', 'blue']);
  switch (type.name) {
    case 'Int':
      return random.below(1000) - 500;
    case 'Float':
      return random.pick([0, 1.5, -3, 1e21, '2.5']);
    case 'Boolean':
      return random.chance(0.5);
    case 'ID':
      return random.pick<unknown>(['id', 7]);
    case 'Money':
      return random.below(5000);
    default:
      return random.pick<unknown>(['', 'plain', 'ü "quoted" \\ \u2028', 12, true, '__proto__']);
  }
}

/** An amount: a number within, a text of euros outside; negative ones cannot be shown, and odd ones not be read. */
function scalars(schema: GraphQLSchema): void {
  const money = schema.getType('Money') as GraphQLScalarType;
  money.serialize = (value) => {
    if (typeof value !== 'number' || value < 0) throw new TypeError(`secret ${String(value)}`);
    return `EUR ${value}`;
  };
  money.parseValue = (value) => {
    if (typeof value !== 'number' || value % 2 === 1) throw new TypeError('an even number is expected');
    return new Amount(value);
  };
  money.parseLiteral = (node) => money.parseValue(node.kind === Kind.INT ? Number(node.value) : undefined);
}

/** What a scalar can be within: an instance of a class. */
class Amount {
  readonly #cents: number;

  constructor(cents: number) {
    this.#cents = cents;
  }

  toJSON(): string {
    return String(this.#cents);
  }

  /** What only an instance can say. */
  describe(): string {
    return `Amount(${this.#cents})`;
  }
}

/** Arguments as text: the order of their names means nothing, everything else does. */
function canonical(value: unknown): string {
  if (value instanceof Amount) return value.describe();
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).map(([name, one]) => `${name}:${canonical(one)}`);
  return `{${entries.toSorted().join(',')}}`;
}
