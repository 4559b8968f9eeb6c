import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Args, Field, ID, Int, ObjectType, Query, Resolver, Scalar, Subscription } from '@nestjs/graphql';
import { valueFromASTUntyped, type ValueNode } from 'graphql';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { startBff, type BffApp } from '../../src/bff/bff-app.fixture.ts';
import { Problem } from '../../src/problems/problem.ts';
import { GRAPHQL_DOORS, type DoorAnswer, type DoorRequest } from '../support/graphql-doors.ts';

class Anything {}

@Scalar('BombAnything', () => Anything)
class AnythingScalar {
  parseValue(value: unknown): unknown {
    return value;
  }
  parseLiteral(node: ValueNode): unknown {
    return valueFromASTUntyped(node);
  }
  serialize(value: unknown): unknown {
    return value;
  }
}

@ObjectType('BombEmployee')
class Employee {
  @Field(() => ID)
  id!: string;
  /** Refused to everybody; there is none without. */
  @Field(() => Int)
  salary!: number | Error;
  @Field(() => Int, { nullable: true })
  bonus!: number | Error;
}

const refused = (): Error => new Problem('permission-denied');
const employees = (count: number): Employee[] =>
  Array.from({ length: count }, (_, index) => ({ id: String(index), salary: refused(), bonus: refused() }));

@Resolver()
class BombsResolver {
  @Query(() => String)
  hello(): string {
    return 'hello';
  }
  @Query(() => String)
  any(@Args('x', { type: () => Anything }) x: unknown): string {
    return JSON.stringify(x);
  }
  @Query(() => [Employee], { nullable: true })
  staff(@Args('first', { type: () => Int }) first: number): Employee[] {
    return employees(first);
  }
  @Query(() => [Employee], { nullable: 'itemsAndList' })
  people(@Args('first', { type: () => Int }) first: number): Employee[] {
    return employees(first);
  }
  @Subscription(() => String)
  async *never(): AsyncGenerator<object> {
    yield await Promise.resolve({ never: 'said' });
  }
}

let bff: BffApp;
beforeAll(async () => {
  bff = await startBff({
    graphql: { compileAfter: 2 },
    modules: [{ module: class BombsModule {}, providers: [BombsResolver, AnythingScalar] }],
  });
});
afterAll(() => bff.stop());
beforeEach(() => {
  bff.errors.length = 0;
});

const times = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');
const lists = (depth: number, inside = '1'): string => '['.repeat(depth) + inside + ']'.repeat(depth);
const objects = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const runs = (door: string, request: DoorRequest): Promise<DoorAnswer> => {
  const ask = GRAPHQL_DOORS[door];
  if (ask === undefined) throw new Error(`there is no door ${door}`);
  return ask(bff.url, request);
};
const DOORS = Object.keys(GRAPHQL_DOORS);

describe('a document that is dear to read', () => {
  const BOMBS: readonly [string, string][] = [
    ['398 operations', times(398, (index) => `query Q${index} { hello }`)],
    [
      '150 operations with a fragment',
      `${times(150, (i) => `query Q${i} { ...F }`)} fragment F on Query { hello }`,
    ],
    ['1 900 open lists', `{ any(x: ${'['.repeat(1900)}`],
    ['950 lists', `{ any(x: ${lists(950)}) }`],
    ['900 selections', '{ staff '.repeat(900)],
    ['fields that meet', `{ staff(first: 1) { ${times(900, () => 'id')} } }`],
  ];
  const all = BOMBS.flatMap(([what, query]) => DOORS.map((door) => [what, door, query] as const));

  it.each(all)('is refused: %s, at the door %s', async (_what, door, query) => {
    const { data, errors } = await runs(door, {
      query,
      operationName: query.includes('Q0') ? 'Q0' : undefined,
    } as DoorRequest);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: 'request-invalid' } }]);
    expect(errors?.[0]?.message).toMatch(/more than \d+/i);
    expect(bff.errors).toEqual([]);
  });
});

describe('a variable that is nested too deep', () => {
  const query = 'query($x: BombAnything!) { any(x: $x) }';

  it.each(DOORS)('is refused at its bound, at the door %s', async (door) => {
    for (const value of [lists(32), objects(32), lists(32, '9007199254740992')])
      expect(await runs(door, { query, variables: `{"x":${value}}` })).toEqual({ data: { any: value } });
    // As deep as a URL can be, and without an end; with and without integers that are looked at twice.
    for (const value of [lists(33), objects(33), lists(2500), lists(2500, '9007199254740993')]) {
      const { data, errors } = await runs(door, { query, variables: `{"x":${value}}` });
      expect(data).toBeUndefined();
      expect(errors).toMatchObject([
        {
          message: 'Variable "$x" is nested more than 32 levels deep.',
          extensions: { code: 'request-invalid' },
        },
      ]);
    }
    expect(bff.errors).toEqual([]);
  });

  it.each(['post', 'stream by post', 'socket'])(
    'is refused as deep as a message can be, at the door %s',
    async (door) => {
      for (const inside of ['1', '9007199254740993']) {
        const { errors } = await runs(door, { query, variables: `{"x":${lists(30_000, inside)}}` });
        expect(errors).toMatchObject([{ extensions: { code: 'request-invalid' } }]);
      }
      expect(bff.errors).toEqual([]);
    },
  );

  it('does not end the process with a document that is asked for by its hash', async () => {
    const socket = new WebSocket(`${bff.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    const payload = `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}},"variables":{"x":${lists(30_000)}}}`;
    socket.send(`{"id":"1","type":"subscribe","payload":${payload}}`);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    expect(String(answer)).toContain('PERSISTED_QUERY_NOT_FOUND');
    expect((await runs('post', { query: '{ hello }' })).data).toEqual({ hello: 'hello' });
  });
});

describe('errors of many elements', () => {
  const FIELDS = 'a: salary b: salary c: salary d: salary';
  const count = (door: string): number => (door === 'post' ? 5000 : 300);
  const coded = { extensions: { code: 'permission-denied' } };

  it.each(DOORS)('are one for what they make null, with both engines, at the door %s', async (door) => {
    const query = `{ staff(first: ${count(door)}) { ${FIELDS} } }`;
    const first = await runs(door, { query });
    expect(first.data).toEqual({ staff: null });
    expect(first.errors).toMatchObject([{ path: ['staff', 0, 'a'], ...coded }]);
    for (let run = 0; run < 4; run += 1) expect(await runs(door, { query })).toEqual(first);
  });

  it.each(DOORS)('are one for each element, and bounded, with both engines, at the door %s', async (door) => {
    const query = `query($n: Int!) { people(first: $n) { ${FIELDS} } }`;
    for (let run = 0; run < 4; run += 1) {
      const some = await runs(door, { query, variables: '{"n":100}' });
      expect(some.errors?.map(({ path }) => path?.[1])).toEqual(
        Array.from({ length: 100 }, (_, index) => index),
      );
      expect(some.extensions).toBeUndefined();
      const many = await runs(door, { query, variables: `{"n":${count(door)}}` });
      expect(many.data?.['people']).toHaveLength(count(door));
      expect(many.errors).toHaveLength(100);
      expect(many.extensions).toEqual({ moreErrors: count(door) - 100 });
    }
  });

  it('are bounded where each has a place of its own', async () => {
    const query = '{ people(first: 60) { a: bonus b: bonus } }';
    for (let run = 0; run < 4; run += 1) {
      const { data, errors, extensions } = await runs('post', { query });
      expect(data?.['people']).toHaveLength(60);
      expect([errors?.length, extensions]).toEqual([100, { moreErrors: 20 }]);
    }
  });
});

describe('a document with many lines', () => {
  const lines = (count: number): string => '\n'.repeat(count);
  /** How many ends of lines are looked for while something is done. */
  const searches = async (done: () => Promise<unknown>): Promise<number> => {
    const exec = jest.spyOn(RegExp.prototype, 'exec');
    try {
      await done();
      return exec.mock.contexts.filter((one) => (one as RegExp).source.includes(String.raw`\r\n`)).length;
    } finally {
      exec.mockRestore();
    }
  };

  it('does not have them counted for each error, whatever number of errors it makes, at their places', async () => {
    const query = `${lines(30_000)}{ people(first: 60) { a: bonus\n b: bonus } }`;
    const answers: DoorAnswer[] = [];
    const asked = async (): Promise<void> => {
      for (let run = 0; run < 5; run += 1) answers.push(await runs('post', { query }));
      for (const door of ['stream by post', 'socket']) answers.push(await runs(door, { query }));
    };
    expect(await searches(asked)).toBeLessThan(1000);
    const places = [
      { line: 30_001, column: 23 },
      { line: 30_002, column: 2 },
    ];
    for (const { errors } of answers) {
      expect(errors).toHaveLength(100);
      expect(errors?.slice(0, 2)).toMatchObject(places.map((place) => ({ locations: [place] })));
    }
  });

  it('does not have them counted for each place, whatever is wrong with it', async () => {
    const cycle = times(150, (index) => `fragment F${index} on Query { ...F${(index + 1) % 150} }`);
    const query = `${lines(30_000)}{ ...F0 } ${cycle}`;
    let answer: DoorAnswer = {};
    expect(await searches(async () => (answer = await runs('post', { query })))).toBeLessThan(1000);
    expect(answer.errors).toHaveLength(1);
    const told = answer.errors?.[0] as unknown as { readonly locations: object[] };
    expect(told.locations).toHaveLength(20);
    expect(told.locations[0]).toMatchObject({ line: 30_001 });
  });
});
