import {
  buildSchema,
  GraphQLObjectType,
  GraphQLUnionType,
  type GraphQLScalarType,
  type GraphQLSchema,
} from 'graphql';
import { alignEngines } from './align-engines.ts';
import { Problem } from '../../../problems/problem.ts';

const SDL = `
  enum Color { RED GREEN }
  interface Named { name: String! }
  type Person implements Named { name: String! age: Int friends(first: Int = 2): [Person!]! pet: Pet secret: String short: Int! }
  type Robot implements Named { name: String! model: Int }
  union Pet = Person | Robot
  input Filter { color: Color text: String = "none" nested: Filter }
  input Plain { color: Color! sizes: [Int!] }
  scalar Anything
  scalar Amount
  input Defaults { color: Color = GREEN sizes: [Int!] }
  union Odd = Person | Robot
  type Holder { promised: String computed: Int person: Person }
  type Query {
    hello: String
    echo(text: String!, times: Int = 1): String
    color(plain: Plain): Color
    filtered(filter: Filter): String
    anything(value: Anything): Anything
    people: [Person]
    named: [Named]
    pet(robot: Boolean): Pet
    strict: Person!
    deep: Person
    fails: String
    refuses: String
    listFails: [String]
    wrongType: Int
    missing: Person
    holder: Holder
    promisedHolder: Holder
    defaults(given: Defaults): String
    amount(of: Amount): String
    promises: [Int]
    odd(how: String): Odd
    odds: [Odd!]
  }
  type Mutation { add(by: Int!): Int  fail: Int }
`;

const ada = { __typename: 'Person', name: 'Ada', age: 36 };
const bob = { __typename: 'Person', name: 'Bob "the \\ builder" \u2028', age: null };
const robot = { __typename: 'Robot', name: 'R2', model: 2 };

/** What the scalar of that name is within. */
class Amount {
  readonly cents: number;

  constructor(cents: unknown) {
    this.cents = Number(cents);
  }
}

type Resolve = (source: Record<string, unknown>, args: Record<string, never>) => unknown;

const RESOLVERS: Record<string, Record<string, Resolve>> = {
  Query: {
    hello: () => 'hello',
    echo: (_source, { text, times }) => Promise.resolve(String(text).repeat(Number(times))),
    color: (_source, { plain }) => (plain as { color?: string } | undefined)?.color ?? null,
    filtered: (_source, { filter }) => JSON.stringify(filter ?? null),
    anything: (_source, { value }) => value,
    people: () => Promise.resolve([ada, null, bob]),
    named: () => [ada, robot],
    pet: (_source, { robot: wanted }) => (wanted ? robot : Promise.resolve(ada)),
    strict: () => ({ name: null }),
    deep: () => ada,
    fails: () => Promise.reject(new Error('the password is hunter2')),
    refuses: () => {
      throw new Problem('upstream-timeout', { extensions: { section: 'refuses' } });
    },
    listFails: () => ['a', new Error('hidden'), 'c'],
    wrongType: () => 'not a number',
    missing: () => undefined,
    holder: () => ({ promised: 'kept', computed: 1, person: ada }),
    promisedHolder: () => ({
      promised: Promise.resolve('kept'),
      computed: () => 1,
      person: Promise.resolve(ada),
    }),
    defaults: (_source, { given }) => JSON.stringify(given ?? null),
    amount: (_source, { of }: Record<string, unknown>) =>
      of instanceof Amount ? `${of.cents} cents` : typeof of,
    promises: () => [Promise.reject(new Problem('conflict')), Promise.resolve(2), 3],
    odd: (_source, { how }) => Promise.resolve({ how }),
    odds: () => [{ how: 'Person' }, { how: 'throws' }],
  },
  Person: {
    friends: (_source, { first }) => [ada, bob].slice(0, Number(first)),
    pet: () => robot,
    short: () => new Promise((_, reject) => setTimeout(reject, 5, new Problem('conflict'))),
    secret: () => Promise.reject(new Problem('permission-denied')),
  },
  Mutation: {
    add: (_source, { by }) => Promise.resolve(Number(by) + 1),
    fail: () => Promise.reject(new Problem('conflict')),
  },
};

/** A schema with one of everything that the two engines could treat differently. */
export function engineSchema(): GraphQLSchema {
  const schema = buildSchema(SDL);
  for (const [name, fields] of Object.entries(RESOLVERS)) {
    const type = schema.getType(name) as GraphQLObjectType;
    for (const [field, resolve] of Object.entries(fields)) {
      const definition = type.getFields()[field];
      if (definition === undefined) throw new Error(`there is no field ${name}.${field}`);
      definition.resolve = resolve as NonNullable<typeof definition.resolve>;
    }
  }
  const pet = schema.getType('Pet') as GraphQLUnionType;
  pet.resolveType = ({ __typename }: { __typename: string }) => __typename;
  const odd = schema.getType('Odd') as GraphQLUnionType;
  odd.resolveType = ({ how }: { how: string }) => {
    if (how === 'throws') throw new Error('the password is hunter2');
    return how === 'promise' ? Promise.resolve('Person') : how;
  };
  const amount = schema.getType('Amount') as GraphQLScalarType;
  amount.parseValue = (value) => new Amount(value);
  amount.parseLiteral = (node) => new Amount('value' in node ? node.value : 0);
  alignEngines(schema);
  return schema;
}
