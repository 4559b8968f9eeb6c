import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Scalar } from '@nestjs/graphql';
import { Args, Field, Float, ID, InputType, Int, Query, registerEnumType } from '@nestjs/graphql';
import { Mutation, Resolver, Subscription } from '@nestjs/graphql';
import { Kind, type ValueNode } from 'graphql';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { startBff, type BffApp } from '../../src/bff/bff-app.fixture.ts';
import { GRAPHQL_DOORS, LIVE_DOORS, type DoorAnswer, type DoorRequest } from '../support/graphql-doors.ts';

enum Shade {
  LIGHT = 'light',
  DARK = 'dark',
}
registerEnumType(Shade, { name: 'MistakeShade' });

/** Whole cents; whoever parses them says what is wrong with others. */
class Cents {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

@Scalar('MistakeCents', () => Cents)
class CentsScalar {
  parseValue(value: unknown): Cents {
    if (typeof value !== 'number' || !Number.isInteger(value)) throw new TypeError('expected whole cents');
    return new Cents(value);
  }
  parseLiteral(node: ValueNode): Cents {
    return this.parseValue(node.kind === Kind.INT ? Number(node.value) : undefined);
  }
  serialize(value: unknown): unknown {
    return value instanceof Cents ? value.cents : value;
  }
}

@InputType('MistakeInner')
class Inner {
  @Field(() => Int)
  size!: number;
  @Field(() => Shade, { defaultValue: Shade.DARK })
  shade!: Shade;
}

@InputType('MistakeInput')
class Input {
  @Field(() => Inner, { nullable: true })
  inner?: Inner;
  @Field(() => [Int], { nullable: 'items' })
  sizes!: (number | null)[];
  @Field(() => Input, { nullable: true })
  again?: Input;
}

@InputType('MistakeOneOf', { isOneOf: true })
class OneOf {
  @Field(() => String, { nullable: true })
  name?: string;
  @Field(() => ID, { nullable: true })
  id?: string;
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
const nullable = { nullable: true };

@Resolver()
class MistakesResolver {
  @Query(() => String)
  int(@Args('v', { type: () => Int }) v: number): string {
    return shown(v);
  }
  @Query(() => String)
  ints(@Args('v', { type: () => [Int] }) v: number[]): string {
    return shown(v);
  }
  @Query(() => String, nullable)
  withDefault(@Args('v', { type: () => Int, defaultValue: 7 }) v: number): string {
    return shown(v);
  }
  @Query(() => String)
  float(@Args('v', { type: () => Float, nullable: true }) v: number): string {
    return shown(v);
  }
  @Query(() => String)
  flag(@Args('v', { type: () => Boolean }) v: boolean): string {
    return shown(v);
  }
  @Query(() => String)
  text(@Args('v', { type: () => String, defaultValue: 'none' }) v: string): string {
    return shown(v);
  }
  @Query(() => String)
  id(@Args('v', { type: () => ID }) v: string): string {
    return shown(v);
  }
  @Query(() => String)
  shade(@Args('v', { type: () => Shade, defaultValue: Shade.LIGHT }) v: Shade): string {
    return shown(v);
  }
  @Query(() => String)
  cents(@Args('v', { type: () => Cents }) v: Cents): string {
    return v instanceof Cents ? shown(v) : 'not cents';
  }
  @Query(() => String)
  input(@Args('v', { type: () => Input }) v: Input): string {
    return shown(v);
  }
  @Query(() => String)
  oneOf(@Args('v', { type: () => OneOf }) v: OneOf): string {
    return shown(v);
  }
  @Mutation(() => String, nullable)
  change(@Args('v', { type: () => Int, defaultValue: 7 }) v: number): string {
    return shown(v);
  }
  @Subscription(() => String)
  async *counted(@Args('v', { type: () => Int, defaultValue: 7 }) v: number): AsyncGenerator<object> {
    yield await Promise.resolve({ counted: shown(v) });
  }
}

let bff: BffApp;
let interpreting: BffApp;
const start = (compileAfter: number): Promise<BffApp> =>
  startBff({
    graphql: { compileAfter },
    modules: [{ module: class MistakesModule {}, providers: [MistakesResolver, CentsScalar] }],
  });
beforeAll(async () => {
  bff = await start(0);
  interpreting = await start(Infinity);
});
afterAll(() => Promise.all([bff.stop(), interpreting.stop()]));
beforeEach(() => {
  bff.errors.length = interpreting.errors.length = 0;
});

/** The types of arguments, each with the values that its clients could send, as JSON. */
const VALUES = [
  'null',
  '1',
  '-1.5',
  '3000000000',
  '"x"',
  '""',
  'true',
  '[]',
  '[1]',
  '[null]',
  '["x"]',
  '[[1]]',
].concat(
  [
    '{}',
    '{"size":1}',
    '{"inner":{}}',
    '{"inner":{"size":null}}',
    '{"inner":{"size":1,"shade":"NONE"},"sizes":1}',
  ],
  ['{"sizes":[1,null],"again":{"sizes":[]}}', '{"sizes":null}', '{"sizes":[],"more":1}', '{"__proto__":1}'],
  [
    '{"name":"x"}',
    '{"name":null}',
    '{"name":"x","id":"y"}',
    '"DARK"',
    '"NONE"',
    '"light"',
    '9007199254740993',
  ],
);
const FIELDS = {
  int: ['Int!'],
  ints: ['[Int!]!', 'Int!'],
  withDefault: ['Int', 'Int!', 'Int = 3'],
  float: ['Float', 'Float!', 'Int'],
  flag: ['Boolean!', 'Boolean = true'],
  text: ['String', 'String = "x"'],
  id: ['ID!', 'String!'],
  shade: ['MistakeShade', 'MistakeShade!'],
  cents: ['MistakeCents!', 'MistakeCents = 5'],
  input: ['MistakeInput!'],
  oneOf: ['MistakeOneOf!'],
};

/** Values within what a document writes out, and conditions. */
const PLACED: readonly [string, readonly string[]][] = [
  ['query($v: [Int!]) { ints(v: $v) }', ['{}', '{"v":null}']],
  ['query($v: Int) { ints(v: [1, $v]) }', ['{}', '{"v":null}', '{"v":"x"}']],
  ['query($v: Int = 1) { ints(v: [$v]) }', ['{}', '{"v":null}', '{"v":2}']],
  ['query($v: Int = 1) { input(v: { sizes: [], inner: { size: $v } }) }', ['{}', '{"v":null}', '{"v":2}']],
  [
    'query($v: MistakeShade) { input(v: { sizes: [], inner: { size: 1, shade: $v } }) }',
    ['{}', '{"v":null}'],
  ],
  ['query($v: String) { oneOf(v: { name: $v }) }', ['{}', '{"v":null}', '{"v":"x"}']],
  ['query($v: String!) { oneOf(v: { name: $v }) }', ['{}', '{"v":null}', '{"v":"x"}']],
  ['query($v: Boolean = true) { text @include(if: $v) }', ['{}', '{"v":null}', '{"v":"yes"}', '{"v":false}']],
  ['query($v: Boolean = true) { text @skip(if: $v) }', ['{}', '{"v":null}', '{"v":1}', '{"v":false}']],
  ['query($v: Boolean = true) { ... @include(if: $v) { text } }', ['{"v":null}', '{}']],
  ['query($v: Boolean = true) { ...F @skip(if: $v) } fragment F on Query { text }', ['{"v":null}', '{}']],
  ['query($v: Boolean!) { text @skip(if: $v) }', ['{}', '{"v":null}', '[]', '{"v":true}']],
  ['query($__proto__: Int) { withDefault(v: $__proto__) }', ['{}', '{"__proto__":null}', '{"__proto__":5}']],
  ['{ __proto__: text constructor: text toString: text }', ['{}']],
];

/** Documents that do not fit. */
const REFUSED: readonly DoorRequest[] = [
  { query: '{ int }' },
  { query: '{ int(v: null) }' },
  { query: '{ withDefault(v: null) }' },
  { query: '{ withDefault(v: "x") }' },
  { query: '{ shade(v: NONE) }' },
  { query: '{ shade(v: "DARK") }' },
  { query: '{ cents(v: "x") }' },
  { query: '{ input(v: { sizes: [], more: 1 }) }' },
  { query: '{ oneOf(v: { name: "x", id: "y" }) }' },
  { query: '{ text @include }' },
  { query: '{ text @include(if: null) }' },
  { query: '{ text @unknown }' },
  { query: 'query($v: Int) { int(v: $v) }', variables: '{"v":1}' },
  { query: 'query($v: Unknown) { int(v: $v) }' },
  { query: 'query($v: Query) { int(v: $v) }' },
  { query: '{ int(v: $missing) }' },
  { query: 'query A { text } query B { text }' },
  { query: 'query A { text } query B { text }', operationName: 'C' },
  { query: '{ text }', operationName: 'C' },
  { query: 'query A { text }', operationName: '__proto__' },
  { query: '' },
  { query: '{' },
  { query: 'fragment F on Query { text }' },
  { query: 'type A { b: Int }' },
];

const runs = (door: string, request: DoorRequest, app = bff): Promise<DoorAnswer> => {
  const ask = GRAPHQL_DOORS[door];
  if (ask === undefined) throw new Error(`there is no door ${door}`);
  return ask(app.url, request);
};
const codesOf = ({ errors = [] }: DoorAnswer): unknown[] =>
  errors.map(({ extensions }) => extensions?.['code']);

/** What both engines answer. */
async function bothEngines(request: DoorRequest): Promise<DoorAnswer> {
  const [interpreted, compiled] = await Promise.all([
    runs('post', request, interpreting),
    runs('post', request),
  ]);
  expect([request, compiled]).toEqual([request, interpreted]);
  return interpreted;
}

function expectNoFaultOfOurs(request: DoorRequest, answer: DoorAnswer): void {
  const codes = new Set(codesOf(answer));
  codes.delete('request-invalid');
  expect([request, ...codes]).toEqual([request]);
  expect([...bff.errors, ...interpreting.errors]).toEqual([]);
}

describe('a mistake of a client', () => {
  it.each(Object.entries(FIELDS))(
    'in a variable for %s is its fault, with both engines',
    async (field, types) => {
      let wrong = 0;
      for (const type of types) {
        const query = `query($v: ${type}) { ${field}(v: $v) }`;
        const nothing = { query, variables: '{}' };
        expectNoFaultOfOurs(nothing, await bothEngines(nothing));
        const requests = VALUES.map((value) => ({ query, variables: `{"v":${value}}` }));
        const answers = await Promise.all(requests.map(bothEngines));
        for (const [index, answer] of answers.entries()) {
          expectNoFaultOfOurs(requests[index] as DoorRequest, answer);
          wrong += answer.errors === undefined ? 0 : 1;
        }
      }
      // Values that fit nothing, and at least one that fits.
      expect(wrong).toBeGreaterThan(types.length * 5);
      expect(wrong).toBeLessThan(types.length * VALUES.length);
    },
  );

  it.each(PLACED)(
    'in a value within the document is its fault, with both engines: %s',
    async (query, all) => {
      for (const variables of all) {
        const request = { query, variables };
        expectNoFaultOfOurs(request, await bothEngines(request));
      }
    },
  );

  it.each(REFUSED)('in its document is refused at every door: %j', async (request) => {
    for (const door of Object.keys(GRAPHQL_DOORS)) {
      const answer = await runs(door, request);
      expect([door, answer.data]).toEqual([door, undefined]);
      expect([door, ...new Set(codesOf(answer))]).toEqual([door, 'request-invalid']);
    }
    expect([...bff.errors, ...interpreting.errors]).toEqual([]);
  });
});

describe('a null where a default was', () => {
  const CASES: readonly [DoorRequest, string, readonly (string | number)[] | undefined][] = [
    [{ query: 'query($v: Int) { withDefault(v: $v) }', variables: '{"v":null}' }, '"v"', ['withDefault']],
    [
      {
        query: 'query($v: Int) { ...F } fragment F on Query { withDefault(v: $v) }',
        variables: '{"v":null}',
      },
      '"v"',
      ['withDefault'],
    ],
    [
      { query: 'query($v: Boolean = true) { text @include(if: $v) }', variables: '{"v":null}' },
      '"if"',
      undefined,
    ],
    [
      { query: 'query($v: Boolean = true) { text @skip(if: $v) }', variables: '{"v":null}' },
      '"if"',
      undefined,
    ],
  ];
  const all = CASES.flatMap(([request, name, path]) =>
    Object.keys(GRAPHQL_DOORS).map((door) => [door, request, name, path] as const),
  );

  it.each(all)('names the argument at the door %s: %j', async (door, request, name, path) => {
    for (const app of [interpreting, bff]) {
      const { data, errors } = await runs(door, request, app);
      expect(data).toEqual(path === undefined ? null : { withDefault: null });
      expect(errors).toMatchObject([
        { message: expect.stringContaining(name), extensions: { code: 'request-invalid' } },
      ]);
      expect(errors?.[0]?.path).toEqual(path);
    }
    expect([...bff.errors, ...interpreting.errors]).toEqual([]);
  });

  it.each(LIVE_DOORS)('names the argument of a subscription at the door %s', async (door) => {
    const query = 'subscription($v: Int) { counted(v: $v) }';
    const { data, errors } = await runs(door, { query, variables: '{"v":null}' });
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([
      { message: expect.stringContaining('"v"'), path: ['counted'], extensions: { code: 'request-invalid' } },
    ]);
    const fine = await runs(door, { query, variables: '{}' });
    expect(fine.data).toEqual({ counted: '7' });
    expect([...bff.errors, ...interpreting.errors]).toEqual([]);
  });

  it.each(LIVE_DOORS)(
    'is not our fault when it leaves nothing to subscribe to, at the door %s',
    async (door) => {
      for (const field of [
        'counted @include(if: $v)',
        '... @skip(if: $v) { counted }',
        '...F @include(if: $v)',
      ]) {
        const fragment = field.startsWith('...F') ? ' fragment F on Subscription { counted }' : '';
        const query = `subscription($v: Boolean = false) { ${field} }${fragment}`;
        const { data, errors } = await runs(door, { query });
        expect(data).toBeUndefined();
        expect(errors).toMatchObject([{ extensions: { code: 'request-invalid' } }]);
        expect(errors?.[0]?.message).toContain('The field of a subscription cannot be left out');
      }
      expect([...bff.errors, ...interpreting.errors]).toEqual([]);
    },
  );

  it('names the argument of a mutation, which does not run', async () => {
    const query = 'mutation($v: Int) { change(v: $v) }';
    expect(await bothEngines({ query, variables: '{"v":null}' })).toMatchObject({
      data: { change: null },
      errors: [{ message: expect.stringContaining('"v"'), extensions: { code: 'request-invalid' } }],
    });
  });
});

describe('an integer beyond 2^53', () => {
  const LONG = '9007199254740993';
  const all = Object.keys(GRAPHQL_DOORS);

  it.each(all)('keeps its digits as an ID, at the door %s', async (door) => {
    const CASES: readonly [string, string, string][] = [
      ['query($v: ID!) { f: id(v: $v) }', LONG, `"${LONG}"`],
      ['query($v: ID!) { f: id(v: $v) }', `-${LONG}`, `"-${LONG}"`],
      ['query($v: ID!) { f: id(v: $v) }', `"${LONG}"`, `"${LONG}"`],
      ['query($v: ID!) { f: id(v: $v) }', '9007199254740991', '"9007199254740991"'],
      ['query($v: MistakeOneOf!) { f: oneOf(v: $v) }', `{"id":${LONG}}`, `{"id":"${LONG}"}`],
      // A Float is what it is.
      ['query($v: Float) { f: float(v: $v) }', LONG, '9007199254740992'],
    ];
    for (const [query, value, f] of CASES) {
      for (const app of [interpreting, bff])
        expect(await runs(door, { query, variables: `{"v":${value}}` }, app)).toEqual({ data: { f } });
    }
  });

  it.each(all)('is refused for a scalar that would get another number, at the door %s', async (door) => {
    const query = 'query($v: MistakeCents!) { cents(v: $v) }';
    for (const [value, message] of [
      [LONG, `Variable "$v": a number cannot hold ${LONG} exactly; send it as a string.`],
    ]) {
      const answer = await runs(door, { query, variables: `{"v":${value}}` });
      expect(answer.data).toBeUndefined();
      expect(answer.errors).toMatchObject([{ message, extensions: { code: 'request-invalid' } }]);
    }
    // This one can be held.
    const even = await runs(door, { query, variables: '{"v":9007199254740994}' });
    expect(even).toEqual({ data: { cents: '{"cents":9007199254740994}' } });
    expect([...bff.errors, ...interpreting.errors]).toEqual([]);
  });
});

describe('a request that is none of GraphQL', () => {
  const QUERY = '"query":"{ text }"';
  const BODIES = [
    '',
    '{',
    'null',
    '5',
    '"documentId 1234567890123456"',
    '[]',
    '{}',
    '{"query":null}',
    '{"query":5}',
    '{"query":["{ text }"]}',
    `{${QUERY},"variables":"x"}`,
    `{${QUERY},"variables":1234567890123456789}`,
    `{${QUERY},"variables":[1234567890123456789]}`,
    `{${QUERY},"operationName":5}`,
    `{${QUERY},"operationName":{}}`,
    `{${QUERY},"extensions":5}`,
    `{${QUERY},"extensions":[]}`,
    `{${QUERY},"extensions":{"persistedQuery":5}}`,
    `{${QUERY},"extensions":{"persistedQuery":{"sha256Hash":5}}}`,
    '{"extensions":{"persistedQuery":null}}',
    '{"documentId":5}',
    '{"documentId":"x"}',
    `{"documentId":"${'a'.repeat(64)}"}`,
    `{"documentId":null,${QUERY},"operationName":"x"}`,
  ];
  const asks =
    (accept: string) =>
    (body: string): Promise<Response> =>
      fetch(`${bff.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body,
      });
  const bySocket = async (body: string): Promise<string> => {
    const socket = new WebSocket(`${bff.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    const ended = new Promise<string>((resolve) => {
      socket.on('message', (data) => resolve(String(data as Buffer)));
      socket.on('close', (code) => resolve(`closed with ${code}`));
    });
    socket.send(`{"id":"1","type":"subscribe","payload":${body}}`);
    const said = await ended;
    socket.close();
    return said;
  };

  it.each(BODIES)('is the fault of its client at every door: %s', async (body) => {
    for (const accept of ['application/graphql-response+json', 'text/event-stream']) {
      const response = await asks(accept)(body);
      const text = await response.text();
      expect([accept, response.status < 500, text.includes('internal')]).toEqual([accept, true, false]);
    }
    const said = await bySocket(body);
    expect(said).not.toContain('internal');
    // Not 4500 or 1011, which would be ours.
    if (said.startsWith('closed')) expect(said).toBe('closed with 4400');
    expect([...bff.errors, ...interpreting.errors]).toEqual([]);
  });

  it('is told in few words, however much it sent', async () => {
    const query = 'query($v: [Int!]!) { ints(v: $v) }';
    const value = `"${'x'.repeat(10_000)}"`;
    const variables = `{"v":[${Array.from({ length: 8 }, () => value).join()}]}`;
    const { errors = [] } = await bothEngines({ query, variables });
    expect(errors).toHaveLength(5);
    for (const { message } of errors) expect(message).toHaveLength(1001);
  });
});
