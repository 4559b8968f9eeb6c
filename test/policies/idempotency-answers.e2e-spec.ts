import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Field, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { randomUUID } from 'node:crypto';
import { request as sendRequest } from 'node:http';
import { Problem } from '../../src/problems/problem.ts';
import type { ProblemCode } from '../../src/problems/catalogue.ts';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { kindsConfig } from '../support/kinds-gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const REPLAYED = 'idempotent-replayed';
const idempotency = { anonymous: 'address' };
const json = { 'content-type': 'application/json' };

let runs = 0;
const refuse = (code: ProblemCode): never => {
  runs += 1;
  throw new Problem(code);
};

@ObjectType()
class Made {
  @Field(() => Int)
  run!: number;

  @Field(() => Int, { nullable: true })
  late?: number;
}

@Resolver(() => Made)
class MadeResolver {
  @Query(() => Int, { nullable: true })
  slow(): never {
    return refuse('upstream-timeout');
  }

  @Query(() => Int, { nullable: true })
  absent(): never {
    return refuse('resource-not-found');
  }

  @Mutation(() => Int, { nullable: true })
  busy(): never {
    return refuse('circuit-open');
  }

  @Mutation(() => Int, { nullable: true })
  limited(): never {
    return refuse('rate-limited');
  }

  @Mutation(() => Int, { nullable: true })
  conflicting(): never {
    return refuse('conflict');
  }

  @Mutation(() => Int)
  broken(): never {
    runs += 1;
    throw new Error('a bug');
  }

  @Mutation(() => Made)
  make(): object {
    runs += 1;
    return {
      run: runs,
      get late(): never {
        throw new Problem('upstream-timeout');
      },
    };
  }
}

@Module({ providers: [MadeResolver] })
class MadeModule {}

let upstream: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    request.resume().on('end', () => {
      runs += 1;
      const word = request.url?.split('/').at(-1) ?? '';
      response.writeHead(201, { trailer: 'x-digest, x-run', 'x-path': word });
      response.write(`run ${runs}`);
      const more = word === 'large' ? { 'x-large': 'x'.repeat(5000), 'x-larger': 'x'.repeat(5000) } : {};
      response.addTrailers({ 'x-digest': 'abc', 'x-run': String(runs), ...more });
      response.end();
    });
  });
  const config = JSON.stringify({
    version: 1,
    modules: ['made'],
    defaults: { policies: { authentication: 'public', idempotency } },
    upstreams: { service: { targets: [upstream.url], circuitBreaker: 'off', retry: { attempts: 1 } } },
    routes: ['a', 'b'].map((id) => ({ id, match: { path: `/${id}/*` }, upstream: 'service' })),
  });
  gateway = await startGateway({ config, modules: [{ name: 'made', module: MadeModule, graphql: true }] });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const post = (path: string, key: string, more: Record<string, string> = {}, body = '{}') =>
  call(gateway.url + path, { method: 'POST', headers: { ...json, 'idempotency-key': key, ...more }, body });
const codeOf = (answer: Answer): unknown => answer.json<{ code: string }>().code;

interface WithTrailers {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
}

function postForTrailers(path: string, key: string): Promise<WithTrailers> {
  return new Promise((resolve, reject) => {
    const headers = { ...json, te: 'trailers', 'idempotency-key': key };
    const sent = sendRequest(gateway.url + path, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        const { statusCode = 0, headers: fields, trailers } = response;
        resolve({ status: statusCode, text, headers: fields, trailers });
      });
    });
    sent.once('error', reject).end('{}');
  });
}

describe('an answer with fields behind its body', () => {
  it('is told again with them', async () => {
    const key = randomUUID();
    const [first, second] = [await postForTrailers('/a/x', key), await postForTrailers('/a/x', key)];
    expect(first.trailers).toMatchObject({ 'x-digest': 'abc' });
    expect(second).toMatchObject({ status: 201, text: first.text, trailers: first.trailers });
    expect(second.headers).toMatchObject({ [REPLAYED]: 'true', 'x-path': 'x' });
  });

  it('is not told again without them, where there are more than are kept', async () => {
    const before = runs;
    const key = randomUUID();
    expect((await post('/a/large', key)).status).toBe(201);
    expect(codeOf(await post('/a/large', key))).toBe('idempotency-not-replayable');
    expect(runs - before).toBe(1);
  });
});

describe('an operation of GraphQL with a key', () => {
  /** Asks twice with one key: how often it was run, and what was told the second time. */
  async function twice(query: string): Promise<readonly [runs: number, told: string]> {
    const before = runs;
    const key = randomUUID();
    const ask = () => post('/graphql', key, {}, JSON.stringify({ query }));
    await ask();
    const second = await ask();
    const {
      data,
      errors = [],
      code,
    } = second.json<{
      data?: unknown;
      code?: string;
      errors?: { extensions: { code: string } }[];
    }>();
    const told = code ?? errors[0]?.extensions.code ?? JSON.stringify(data);
    return [runs - before, second.headers[REPLAYED] === 'true' ? `again: ${told}` : told];
  }

  it.each<[string, string, number, string]>([
    ['that reads, and may find it in time', '{ slow }', 2, 'upstream-timeout'],
    ['that reads, and finds nothing', '{ absent }', 1, 'again: resource-not-found'],
    ['for which nobody is there', 'mutation { busy }', 2, 'circuit-open'],
    ['that comes too often', 'mutation { limited }', 2, 'rate-limited'],
    ['that is refused for good', 'mutation { conflicting }', 1, 'again: conflict'],
    ['refused for good and for a moment', 'mutation { conflicting busy }', 4, 'conflict'],
    ['of which nobody knows what it has done', 'mutation { broken }', 1, 'idempotency-outcome-unknown'],
    [
      'that has done something, which shows',
      'mutation { make { run late } busy }',
      2,
      'again: upstream-timeout',
    ],
    ['that is none', 'mutation { none }', 0, 'request-invalid'],
  ])('%s', async (_what, query, times, told) => {
    expect(await twice(query)).toEqual([times, told]);
  });

  it('is run with its text, where that was not known by its hash', async () => {
    const key = randomUUID();
    const query = '{ __typename }';
    const asked = JSON.stringify({ query });
    const other = await post('/graphql', key, {}, JSON.stringify({ query: '{ nothing }' }));
    expect(other.json<{ errors: unknown[] }>().errors).toHaveLength(1);
    expect((await post('/graphql', key, {}, asked)).json()).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('a translated call with a key', () => {
  it('is made again where nobody could be reached, and nobody knows otherwise', async () => {
    const config = kindsConfig({
      target: 'grpc://127.0.0.1:1',
      grpc: 'webSocket: off',
      policies: 'idempotency: { anonymous: address }',
      upstream: 'circuitBreaker: off, retry: { attempts: 1 }',
    });
    const translated = await startGateway({ config });
    const headers = { ...json, 'idempotency-key': 'one' };
    const ask = () => call(`${translated.url}/test/echo`, { method: 'POST', headers, body: '{}' });
    expect([codeOf(await ask()), codeOf(await ask())]).toEqual([
      'upstream-unreachable',
      'upstream-unreachable',
    ]);
    await translated.stop();
  });
});

describe('a key that somebody plays with', () => {
  it.each([
    ['another coding of the body', { 'content-encoding': 'br' }],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }],
  ])('is refused with %s', async (_what, more) => {
    const key = randomUUID();
    expect((await post('/a/x', key)).status).toBe(201);
    expect(codeOf(await post('/a/x', key, more as Record<string, string>))).toBe('idempotency-key-reused');
  });

  it('is another one in another case, at another route, and at another door', async () => {
    const key = randomUUID();
    const before = runs;
    for (const [path, one] of [
      ['/a/x', key],
      ['/a/x', key.toUpperCase()],
      ['/b/x', key],
    ] as const)
      // prettier-ignore
      expect((await post(path, one)).headers[REPLAYED]).toBeUndefined();
    const made = await post('/graphql', key, {}, '{"query":"mutation { make { run } }"}');
    expect(made.json()).toEqual({ data: { make: { run: runs } } });
    expect(runs - before).toBe(4);
  });

  it('is refused where it is huge, before anything is run', async () => {
    const before = runs;
    for (const key of ['k'.repeat(256), `"${'k'.repeat(256)}"`, 'k'.repeat(8000)])
      expect(codeOf(await post('/a/x', key))).toBe('idempotency-key-invalid');
    expect((await post('/a/x', 'k'.repeat(255))).status).toBe(201);
    expect(runs - before).toBe(1);
  });

  it('is run once of a thousand requests at once', async () => {
    const key = randomUUID();
    const before = runs;
    const answers = await Promise.all(Array.from({ length: 1000 }, () => post('/a/x', key)));
    expect(runs - before).toBe(1);
    const fates = new Set(answers.map(({ status }) => status));
    expect([...fates].every((status) => status === 201 || status === 409)).toBe(true);
    expect(new Set(answers.flatMap(({ status, text }) => (status === 201 ? [text] : []))).size).toBe(1);
  });
});
