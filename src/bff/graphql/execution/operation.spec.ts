import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Exchange } from '../../../exchange/exchange.ts';
import { testExchange } from '../../bff-app.fixture.ts';
import { Documents, isFaults } from '../documents/documents.ts';
import { engineSchema } from './engine.fixture.ts';
import { answerOf, refusalOf } from './graphql-answer.ts';
import { GRAPHQL_DEFAULTS } from '../door/graphql.options.ts';
import { OperationContext } from './operation-context.ts';
import type { Operation, OperationState } from './operation.ts';

Logger.overrideLogger(false);
const schema = engineSchema();

function exchange(): Exchange {
  const request = new IncomingMessage(new Socket());
  return testExchange(request, new ServerResponse(request));
}

function prepare(text: string, operationName?: string): Operation {
  const documents = new Documents(schema, { ...GRAPHQL_DEFAULTS, production: false });
  const found = documents.find(text, operationName);
  if (isFaults(found)) throw new Error(found.map(({ message }) => message).join());
  return found.operation;
}

async function answer(operation: Operation, variables?: Record<string, unknown>): Promise<unknown> {
  const context = new OperationContext(exchange());
  const outcome = await operation.run(context, variables);
  const text =
    outcome.data === undefined ? refusalOf(outcome.errors ?? [], false) : answerOf(outcome, context).body;
  return JSON.parse(text);
}

async function answers(operation: Operation, variables?: Record<string, unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let run = 0; run < 6; run += 1) all.push(await answer(operation, variables));
  return all;
}

const CORPUS: [string, Record<string, unknown>][] = [
  ['{ hello __typename }', {}],
  ['{ a: hello b: hello }', {}],
  ['query($t: String!, $n: Int) { echo(text: $t, times: $n) }', { t: 'ab', n: 3 }],
  ['query($t: String!, $n: Int) { echo(text: $t, times: $n) }', { t: 'ab' }],
  ['query($t: String!, $n: Int = 2) { echo(text: $t, times: $n) }', { t: 'ü"\u2028', n: null }],
  ['query($t: String!) { echo(text: $t) }', {}],
  ['query($t: String!) { echo(text: $t) }', { t: 7 }],
  ['query($t: String!) { echo(text: $t) }', { t: null }],
  ['query($t: String!, $n: Int) { echo(text: $t, times: $n) }', { t: 'x', n: 2 ** 40 }],
  ['query($t: String!, $n: Int) { echo(text: $t, times: $n) }', { t: 'x', n: 1.5 }],
  ['query($p: Plain) { color(plain: $p) }', { p: { color: 'RED', sizes: 7 } }],
  ['query($p: Plain) { color(plain: $p) }', { p: { color: 'BLUE' } }],
  ['query($p: Plain) { color(plain: $p) }', { p: { color: 'RED', extra: 1 } }],
  ['query($p: Plain) { color(plain: $p) }', { p: { sizes: [] } }],
  ['query($p: Plain) { color(plain: $p) }', { p: 'RED' }],
  ['query($f: Filter) { filtered(filter: $f) }', { f: { nested: { nested: { text: 'deep' } } } }],
  ['query($v: Anything) { anything(value: $v) }', { v: { any: ['thing', 1, null] } }],
  ['{ people { name age friends(first: 1) { name friends { name pet { __typename } } } } }', {}],
  ['{ named { __typename name ... on Robot { model } ... on Person { age } } }', {}],
  [
    'query($r: Boolean) { pet(robot: $r) { __typename ... on Robot { model } ... on Person { age } } }',
    { r: true },
  ],
  [
    'query($r: Boolean) { pet(robot: $r) { __typename ... on Robot { model } ... on Person { age } } }',
    { r: false },
  ],
  ['query($s: Boolean!) { hello @skip(if: $s) deep @include(if: $s) { name } }', { s: true }],
  ['query($s: Boolean!) { hello @skip(if: $s) deep @include(if: $s) { name } }', { s: false }],
  ['query($s: Boolean!) { hello @skip(if: $s) }', {}],
  [
    '{ ...F } fragment F on Query { deep { ...P } } fragment P on Person { name pet { ... on Robot { name } } }',
    {},
  ],
  ['{ fails hello }', {}],
  ['{ refuses hello }', {}],
  ['{ deep { name secret } }', {}],
  ['{ people { name secret } }', {}],
  ['{ listFails }', {}],
  ['{ wrongType hello }', {}],
  ['{ missing { name } }', {}],
  ['{ strict { name } hello }', {}],
  ['{ holder { promised computed person { name } } }', {}],
  ['{ __schema { queryType { name fields { name args { name type { name ofType { name } } } } } } }', {}],
  ['{ __type(name: "Pet") { kind possibleTypes { name } } }', {}],
  ['mutation { a: add(by: 1) b: add(by: 2) fail }', {}],
  ['mutation($by: Int!) { add(by: $by) }', { by: 'x' }],
];

const COMPILED = 'compiled';
const GOOD = 'interpreted for good';
const MENDED: [string, Record<string, unknown>, OperationState, Record<string, unknown>?][] = [
  // A rejected element took a place of its own.
  ['{ promises }', {}, COMPILED, { promises: [null, 2, 3] }],
  // An instance arrived as plain JSON.
  ['{ amount(of: 7) }', {}, GOOD, { amount: '7 cents' }],
  ['query($a: Amount = 7) { amount(of: $a) }', {}, COMPILED, { amount: '7 cents' }],
  ['query($a: Amount) { amount(of: $a) }', { a: 7 }, COMPILED, { amount: '7 cents' }],
  // A variable within a scalar was lost.
  ['query($v: String) { anything(value: { a: $v }) }', { v: 'x' }, GOOD, { anything: { a: 'x' } }],
  // A missing variable became null.
  ['query($c: Color) { defaults(given: { color: $c }) }', {}, COMPILED, { defaults: '{"color":"GREEN"}' }],
  [
    'query($c: Color) { defaults(given: { color: $c }) }',
    { c: 'RED' },
    COMPILED,
    { defaults: '{"color":"RED"}' },
  ],
  // A null condition was taken for a false one.
  ['query($s: Boolean = true) { hello @skip(if: $s) }', { s: null }, COMPILED],
  ['query($s: Boolean = true) { hello @skip(if: $s) }', {}, COMPILED, {}],
  // Conditions of the same nodes were mixed.
  [
    'query($s: Boolean!) { ...F @include(if: $s) deep { name } ...F } fragment F on Query { hello }',
    { s: false },
    GOOD,
    { hello: 'hello' },
  ],
  [
    'query($s: Boolean!) { deep @skip(if: $s) { ... on Person { age } } deep { name } }',
    { s: true },
    GOOD,
    { deep: { name: 'Ada' } },
  ],
  // Fields that were left out showed in the locations of errors.
  ['query($s: Boolean!) { fails fails @skip(if: $s) }', { s: true }, COMPILED, { fails: null }],
  [
    '{ deep { ...F } deep { ...G } } fragment F on Person { secret } fragment G on Person { ...F }',
    {},
    COMPILED,
    { deep: { secret: null } },
  ],
  // What threw, or took its time, to find a type ended in nowhere.
  ['{ odd(how: "throws") { __typename } }', {}, COMPILED, { odd: null }],
  ['{ odd(how: "promise") { __typename } }', {}, COMPILED, { odd: null }],
  ['{ odd(how: "Holder") { __typename } }', {}, COMPILED, { odd: null }],
  ['{ odds { __typename } hello }', {}, COMPILED, { odds: null, hello: 'hello' }],
];

describe('an operation', () => {
  it.each(CORPUS)('answers the same interpreted and compiled: %s %j', async (text, variables) => {
    const operation = prepare(text);
    const [first, ...later] = await answers(operation, variables);
    for (const one of later) expect(one).toEqual(first);
    expect(operation.state).toBe('compiled');
  });

  it.each(MENDED)('answers the same where graphql-jit by itself does not: %s %j', async (...given) => {
    const [text, variables, state, data] = given;
    const operation = prepare(text);
    const [first, ...later] = await answers(operation, variables);
    expect(first).toMatchObject(data === undefined ? { errors: [{}] } : { data });
    for (const one of later) expect(one).toEqual(first);
    expect(operation.state).toBe(state);
  });

  it('shows problems with their code and masks everything else', async () => {
    const [cold, , , , , warm] = await answers(prepare('{ fails refuses wrongType }'));
    const extensions = { retryable: false, instance: 'urn:gatehouse:exchange:test-exchange' };
    const internal = {
      message: 'Something went wrong in the gateway',
      extensions: { ...extensions, code: 'internal' },
    };
    const timeout = { code: 'upstream-timeout', retryable: true, section: 'refuses' };
    const expected = {
      data: { fails: null, refuses: null, wrongType: null },
      errors: expect.arrayContaining([
        expect.objectContaining({ ...internal, path: ['fails'] }),
        expect.objectContaining({ ...internal, path: ['wrongType'] }),
        expect.objectContaining({ path: ['refuses'], extensions: { ...extensions, ...timeout } }),
      ]),
    };
    expect(cold).toEqual(expected);
    expect(warm).toEqual(expected);
    expect(JSON.stringify([cold, warm])).not.toContain('hunter2');
  });

  it.each(['promised', 'computed', 'person { name }'])(
    'refuses data that is not plain from the first run on, and is never compiled then: %s',
    async (field) => {
      const operation = prepare(`{ promisedHolder { ${field} } }`);
      const [first, ...later] = await answers(operation);
      const name = field.split(' ')[0] as string;
      expect(first).toMatchObject({
        data: { promisedHolder: { [name]: null } },
        errors: [{ path: ['promisedHolder', name], extensions: { code: 'internal' } }],
      });
      for (const one of later) expect(one).toEqual(first);
      expect(operation.state).toBe('interpreted for good');
    },
  );

  it('is compiled after as many runs as configured, not before', async () => {
    const operation = prepare('{ hello }');
    for (let run = 0; run < GRAPHQL_DEFAULTS.compileAfter; run += 1) {
      await answer(operation);
      expect(operation.state).toBe('interpreted');
    }
    await answer(operation);
    expect(operation.state).toBe('compiled');
  });

  it.each([
    ['{ deep { secret ...F } } fragment F on Named { name ... on Person { short } }', ['deep', 'short']],
    ['{ deep { friends { secret short } } }', ['deep', 'friends', 0, 'short']],
    ['{ deep { more: friends { secret } short: short } }', ['deep', 'short']],
  ])('tells why something above became null, and nothing else of what was in it: %s', async (text, path) => {
    const [first, ...later] = await answers(prepare(text));
    expect(first).toMatchObject({ data: { deep: null }, errors: [{ path }] });
    expect((first as { errors: unknown[] }).errors).toHaveLength(1);
    for (const one of later) expect(one).toEqual(first);
  });

  it('numbers list indexes in the paths of errors', async () => {
    for (const one of await answers(prepare('{ people { secret } }'))) {
      const { errors } = one as { errors: { path: unknown[] }[] };
      expect(errors.map(({ path }) => path)).toEqual([
        ['people', 0, 'secret'],
        ['people', 2, 'secret'],
      ]);
    }
  });
});
