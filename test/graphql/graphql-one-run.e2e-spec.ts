import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module, ParseIntPipe } from '@nestjs/common';
import { Args, Field, Int, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Subscription } from '@nestjs/graphql';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Calls } from '../../src/bff/graphql/fields/calls.decorator.ts';
import { Mask } from '../../src/bff/graphql/fields/mask.decorator.ts';
import { Caller } from '../../src/calls/caller.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { Roles } from '../../src/policies/authorization/authorization.policy.ts';
import { Problem } from '../../src/problems/problem.ts';
import type { DoorAnswer } from '../support/graphql-doors.ts';
import { openSession, SESSION_DOORS, type GraphqlParams } from '../support/graphql-sessions.ts';
import type { LogLine } from '../support/gateway.ts';
import { useShop, type Shop } from '../support/shop.ts';

const getEcho = httpUpstream('echo').get<object, object>('run.echo', '/echo', { decode: z.object({}) });
const nullable = { nullable: true };

@ObjectType('RunNode')
class NodeType {
  @Field()
  name!: string;
}

@Resolver(() => NodeType)
class NodeResolver {
  @Calls()
  @ResolveField(() => NodeType)
  node(): NodeType {
    return { name: 'inner' };
  }

  @Calls()
  @ResolveField(() => Int, nullable)
  picky(@Args('v', { type: () => String }, ParseIntPipe) v: number): number {
    return v;
  }
}

@Resolver()
class RunResolver {
  constructor(private readonly caller: Caller) {}

  @Query(() => String)
  hello(): string {
    return 'hello';
  }
  @Query(() => String, nullable)
  echo(@Args('v', { type: () => Int, defaultValue: 7 }) v: number): string {
    return String(v);
  }
  @Query(() => NodeType)
  node(): NodeType {
    return { name: 'outer' };
  }
  @Query(() => [NodeType])
  nodes(@Args('first', { type: () => Int }) first: number): NodeType[] {
    return Array.from({ length: first }, (_, i) => ({ name: String(i) }));
  }
  @Query(() => String, nullable)
  throws(): string {
    throw new Error('connect ECONNREFUSED 10.1.2.3');
  }
  @Query(() => String)
  conflicts(): Promise<string> {
    return Promise.reject(new Problem('conflict', { detail: 'Somebody was faster.' }));
  }
  @Query(() => String)
  slow(): Promise<string> {
    return new Promise(() => undefined);
  }
  @Roles('admin')
  @Query(() => String, nullable)
  secret(): string {
    return 'secret';
  }
  @Mask({ unless: { anyRole: ['admin'] }, with: '***' })
  @Query(() => String)
  masked(): string {
    return 'plain';
  }
  @Query(() => Boolean)
  async called(@CurrentExchange() exchange: Exchange): Promise<boolean> {
    await this.caller.call(getEcho, {}, { exchange, timeoutMs: Infinity });
    return true;
  }
  @Mutation(() => String)
  write(): string {
    return 'written';
  }
  @Subscription(() => Int)
  async *ticks(): AsyncGenerator<{ ticks: number }> {
    yield await Promise.resolve({ ticks: 1 });
  }
  @Subscription(() => Int)
  stuck(): Promise<AsyncIterable<object>> {
    return new Promise(() => undefined);
  }
}

@Module({ imports: [CallsModule], providers: [NodeResolver, RunResolver] })
class RunModule {}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const persisted = (text: string): object => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });

const TRUSTED = 'query Trusted { hello }';
const KNOWN = 'query Known { hello }';
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-documents-'));
writeFileSync(join(folder, 'trusted.graphql'), TRUSTED);
afterAll(() => rmSync(folder, { recursive: true }));

const MAX_COST = 50;
const graphql = {
  limits: { depth: 5 },
  cost: { max: MAX_COST, mode: 'enforce', listSize: 10 },
  trustedDocuments: { path: folder, only: false },
};
const open = useShop({
  modules: [RunModule],
  more: { graphql: { ...graphql, policies: { deadline: '3s' } } },
});
const RATE = 5;
const strict = useShop({
  modules: [RunModule],
  more: {
    graphql: {
      ...graphql,
      denied: 'operation',
      policies: { rateLimit: [{ key: 'principal', rate: RATE, per: '1h' }] },
    },
  },
});

interface Expected {
  /** Undefined where nothing ran. */
  readonly data?: object | null;
  readonly codes?: readonly string[];
  /** What the metrics count it as. */
  readonly counted: readonly [operation: string, type: string, outcome: string];
  /** What it costs; undefined where that was not counted. */
  readonly cost?: number;
  /** What the access line names. */
  readonly degraded?: readonly object[];
  readonly upstream?: string;
}
interface Row extends Expected {
  readonly params: GraphqlParams;
  /** For doors where it is something else. */
  readonly unless?: { readonly doors: readonly string[]; readonly expected: Expected };
}

const INVALID = ['request-invalid'];
const UNKNOWN = ['unknown', 'unknown', 'refused'] as const;
const byError = (section: string, code: string) => [{ section, code, via: 'error' }];

const ROWS: Readonly<Record<string, Row>> = {
  'what is right': {
    params: { query: 'query Good($v: Int) { hello echo(v: $v) }', variables: { v: 3 } },
    data: { hello: 'hello', echo: '3' },
    counted: ['Good', 'query', 'ok'],
    cost: 0,
  },
  'a call': {
    params: { query: 'query Called { called }' },
    data: { called: true },
    counted: ['Called', 'query', 'ok'],
    cost: 0,
    upstream: 'echo',
  },
  'a syntax error': { params: { query: '{' }, codes: INVALID, counted: UNKNOWN },
  'a document that does not fit the schema': {
    params: { query: '{ nope }' },
    codes: INVALID,
    counted: UNKNOWN,
  },
  'a document that nests too deep': {
    params: { query: '{ node { node { node { node { node { name } } } } } }' },
    codes: INVALID,
    counted: UNKNOWN,
  },
  'an operation that costs too much': {
    params: { query: 'query Dear { nodes(first: 100) { name } }' },
    codes: INVALID,
    counted: ['Dear', 'query', 'refused'],
    cost: 100,
  },
  'an operation that is not in the document': {
    params: { query: 'query A { hello }', operationName: 'B' },
    codes: INVALID,
    counted: UNKNOWN,
  },
  'a hash that nobody has sent': {
    params: { extensions: persisted('{ never }') },
    codes: ['PERSISTED_QUERY_NOT_FOUND'],
    counted: UNKNOWN,
  },
  'a hash of a text that was sent': {
    params: { extensions: persisted(KNOWN) },
    data: { hello: 'hello' },
    counted: ['Known', 'query', 'ok'],
    cost: 0,
  },
  'a text with the hash of another': {
    params: { query: '{ hello }', extensions: persisted('{ never }') },
    codes: INVALID,
    counted: UNKNOWN,
  },
  'a trusted document': {
    params: { documentId: sha256(TRUSTED) },
    data: { hello: 'hello' },
    counted: ['Trusted', 'query', 'ok'],
    cost: 0,
  },
  'a trusted document that there is not': {
    params: { documentId: sha256('{ never }') },
    codes: INVALID,
    counted: UNKNOWN,
  },
  'something that is no hash': { params: { documentId: 'five' }, codes: INVALID, counted: UNKNOWN },
  'a variable that does not fit': {
    params: { query: 'query Typed($v: Int!) { echo(v: $v) }', variables: { v: 'x' } },
    codes: INVALID,
    counted: ['Typed', 'query', 'refused'],
    cost: 0,
  },
  'a null where a default was': {
    params: { query: 'query Null($v: Int) { hello echo(v: $v) }', variables: { v: null } },
    data: { hello: 'hello', echo: null },
    codes: INVALID,
    counted: ['Null', 'query', 'partial'],
    cost: 0,
    // The error is that of the value, whose field has no name any more.
    degraded: byError('*', 'request-invalid'),
  },
  'a value that a pipe refuses': {
    params: { query: 'query Picky($v: String!) { node { name picky(v: $v) } }', variables: { v: 'x' } },
    data: { node: { name: 'outer', picky: null } },
    codes: INVALID,
    counted: ['Picky', 'query', 'partial'],
    cost: 1,
    degraded: byError('picky', 'request-invalid'),
  },
  'a resolver that throws': {
    params: { query: 'query Throws { hello throws }' },
    data: { hello: 'hello', throws: null },
    codes: ['internal'],
    counted: ['Throws', 'query', 'partial'],
    cost: 0,
    degraded: byError('throws', 'internal'),
  },
  'a resolver that refuses all there is': {
    params: { query: 'query Conflicts { conflicts }' },
    data: null,
    codes: ['conflict'],
    counted: ['Conflicts', 'query', 'failed'],
    cost: 0,
    degraded: byError('conflicts', 'conflict'),
  },
  'a field that is for others': {
    params: { query: 'query Denied { hello secret }' },
    data: { hello: 'hello', secret: null },
    codes: ['permission-denied'],
    counted: ['Denied', 'query', 'partial'],
    cost: 0,
    degraded: byError('secret', 'permission-denied'),
  },
  'a masked field': {
    params: { query: 'query Masked { masked }' },
    data: { masked: '***' },
    counted: ['Masked', 'query', 'ok'],
    cost: 0,
  },
  'a mutation': {
    params: { query: 'mutation Write { write }' },
    data: { write: 'written' },
    counted: ['Write', 'mutation', 'ok'],
    cost: 0,
    unless: {
      doors: ['get', 'stream by get'],
      expected: { codes: INVALID, counted: ['Write', 'mutation', 'refused'] },
    },
  },
  'a subscription': {
    params: { query: 'subscription Ticks { ticks }' },
    data: { ticks: 1 },
    counted: ['Ticks', 'subscription', 'ok'],
    cost: 0,
    unless: {
      doors: ['post', 'get'],
      expected: { codes: INVALID, counted: ['Ticks', 'subscription', 'refused'] },
    },
  },
};

/** How much each series about operations has grown. */
type Growth = Readonly<Record<string, number>>;

async function counters(shop: Shop): Promise<ReadonlyMap<string, number>> {
  const wanted = /^gatehouse_graphql_(operation_duration_seconds_count|operation_cost_sum|errors_total)\{/;
  const lines = (await shop.metrics()).split('\n').filter((line) => wanted.test(line));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.slice(line.lastIndexOf(' ')))]));
}

async function growthDuring(shop: Shop, act: () => Promise<unknown>): Promise<Growth> {
  const before = await counters(shop);
  await act();
  const grown = [...(await counters(shop))].map(([name, count]) => [name, count - (before.get(name) ?? 0)]);
  return Object.fromEntries(grown.filter(([, more]) => more !== 0)) as Growth;
}

function growthOf({ counted: [operation, type, outcome], codes = [], cost = 0 }: Expected): Growth {
  const labels = `operation="${operation}",type="${type}"`;
  const errors = codes.map((code) => [`gatehouse_graphql_errors_total{${labels},code="${code}"}`, 1]);
  return {
    [`gatehouse_graphql_operation_duration_seconds_count{${labels},outcome="${outcome}"}`]: 1,
    ...(Object.fromEntries(errors) as Growth),
    ...(cost === 0 ? {} : { [`gatehouse_graphql_operation_cost_sum{${labels}}`]: cost }),
  };
}

async function sessionAs(shop: Shop, door: string, sub: string) {
  const authorization = `Bearer ${await shop.services.identity.token('user', { sub })}`;
  return openSession(door, { url: shop.gateway.url, headers: { authorization } });
}

/** Asks as somebody of whom there is no other line, and leaves. */
async function askOnce(shop: Shop, door: string, sub: string, params: GraphqlParams): Promise<DoorAnswer> {
  const session = await sessionAs(shop, door, sub);
  try {
    return await session.ask(params);
  } finally {
    await session.close();
  }
}

/** The line of the connection that an operation was on, told apart by what a request for it looks like. */
async function lineOf(shop: Shop, door: string, sub: string): Promise<LogLine> {
  const method = door.includes('post') ? 'POST' : 'GET';
  const isLine = (line: LogLine): boolean =>
    line.msg === 'exchange' && line['principal'] === sub && line['method'] === method;
  const lines = await shop.gateway.linesWhere(isLine);
  expect(lines).toHaveLength(1);
  return lines[0] as LogLine;
}

const codesOf = ({ errors }: DoorAnswer): unknown[] | undefined =>
  errors?.map(({ extensions }) => extensions?.['code']);

/** What an answer says beyond the id of its exchange; a refusal on a socket has no room for extensions but in its errors. */
function comparable({ data, errors, extensions }: DoorAnswer): object {
  const cost = errors?.[0]?.extensions?.['cost'] ?? extensions?.['cost'];
  return {
    data,
    cost,
    errors: errors?.map((error) => {
      const { cost: _cost, instance, ...rest } = error.extensions ?? {};
      return { ...error, extensions: { ...rest, hasInstance: instance !== undefined } };
    }),
  };
}

beforeAll(async () => {
  for (const shop of [open.shop]) {
    const params = { query: KNOWN, extensions: persisted(KNOWN) };
    expect(await askOnce(shop, 'post', 'knows', params)).toMatchObject({ data: { hello: 'hello' } });
  }
});

describe.each(Object.entries(ROWS))('%s', (name, row) => {
  const answers = new Map<string, object>();

  it.each(SESSION_DOORS)('has the same answer, counters and line at the door %s', async (door) => {
    const { shop } = open;
    const { doors = [], expected = row } = row.unless ?? {};
    const wanted = doors.includes(door) ? expected : row;
    const sub = `${name} at ${door}`;
    let answer: DoorAnswer = {};
    const growth = await growthDuring(shop, async () => {
      answer = await askOnce(shop, door, sub, row.params);
    });
    expect(answer.data).toEqual(wanted.data);
    expect(codesOf(answer)).toEqual(wanted.codes);
    expect(JSON.stringify(answer)).not.toContain('10.1.2.3');
    expect(growth).toEqual(growthOf(wanted));
    const line = await lineOf(shop, door, sub);
    expect([line['upstream'], line['degraded']]).toEqual([wanted.upstream, wanted.degraded]);
    if (wanted.upstream !== undefined) expect(line['attempts']).toMatchObject([{ outcome: '200' }]);
    // Word for word, where it is the same thing; an event of a subscription does not tell again what it costs.
    if (wanted !== row || wanted.counted[1] === 'subscription') return;
    answers.set(door, comparable(answer));
    expect(answers.get(door)).toEqual(answers.get('post'));
    if (wanted.cost !== undefined)
      expect(answers.get(door)).toMatchObject({ cost: { requested: wanted.cost, max: MAX_COST } });
  });
});

describe('a deadline that passes', () => {
  it('ends what a resolver will never answer, at every door', async () => {
    const { shop } = open;
    const growth = await growthDuring(shop, () =>
      Promise.all(
        SESSION_DOORS.map(async (door) => {
          const answer = await askOnce(shop, door, `slow at ${door}`, { query: 'query Slow { slow }' });
          expect([door, answer.data, codesOf(answer)]).toEqual([door, undefined, ['deadline-exceeded']]);
        }),
      ),
    );
    const labels = 'operation="Slow",type="query"';
    expect(growth).toEqual({
      [`gatehouse_graphql_operation_duration_seconds_count{${labels},outcome="failed"}`]:
        SESSION_DOORS.length,
      [`gatehouse_graphql_errors_total{${labels},code="deadline-exceeded"}`]: SESSION_DOORS.length,
    });
  });

  it('ends a subscription whose source does not open', async () => {
    const { shop } = open;
    const live = SESSION_DOORS.filter((door) => door.includes('stream') || door === 'socket');
    expect(live).toHaveLength(4);
    await Promise.all(
      live.map(async (door) => {
        const answer = await askOnce(shop, door, `stuck at ${door}`, { query: 'subscription { stuck }' });
        expect([door, answer.data, codesOf(answer)]).toEqual([door, undefined, ['deadline-exceeded']]);
      }),
    );
  });
});

describe('what an operation costs of the limit', () => {
  /** What each door takes before its first operation: the handshake, and the two requests of a stream. */
  const BEFORE: Readonly<Record<string, number>> = { 'reserved stream': 2, socket: 1 };
  const ASKED: readonly [string, GraphqlParams, string][] = [
    ['what is right', { query: '{ hello }' }, 'data'],
    ['what does not fit', { query: '{ nope }' }, 'request-invalid'],
    ['what is no request', { documentId: 'five' }, 'request-invalid'],
    ['a hash that nobody has sent', { extensions: persisted('{ never }') }, 'PERSISTED_QUERY_NOT_FOUND'],
    ['what the caller may not', { query: '{ secret }' }, 'permission-denied'],
  ];
  const all = ASKED.flatMap(([name, params, outcome]) =>
    SESSION_DOORS.map((door) => [name, door, params, outcome] as const),
  );

  it.each(all)('is one token for %s at the door %s', async (name, door, params, outcome) => {
    const { shop } = strict;
    const session = await sessionAs(shop, door, `${name} limited at ${door}`);
    const said: unknown[] = [];
    const left = RATE - (BEFORE[door] ?? 0);
    for (let i = 0; i < left; i += 1) {
      const answer = await session.ask(params);
      said.push(answer.data ? 'data' : codesOf(answer)?.[0]);
    }
    expect(said).toEqual(Array.from({ length: left }, () => outcome));
    let refused: DoorAnswer = {};
    const growth = await growthDuring(shop, async () => {
      refused = await session.ask(params);
    });
    expect([refused.data, codesOf(refused)]).toEqual([undefined, ['rate-limited']]);
    expect(growth).toEqual(growthOf({ counted: UNKNOWN, codes: ['rate-limited'] }));
    await session.close();
  });
});
