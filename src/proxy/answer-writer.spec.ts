import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { call, type Answer } from '../../test/support/client.ts';
import { createCompiler, defineRoute } from '../../test/support/routes.ts';
import { exchangeFor } from '../../test/support/stage-server.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { CacheStageFactory } from '../policies/cache/cache.stage-factory.ts';
import { policyRegistry } from '../policies/order.ts';
import { enterStages } from '../policies/stage.ts';
import { TransformStageFactory } from '../policies/transform/transform.stage.ts';
import { Problem } from '../problems/problem.ts';
import type { Route } from '../routing/route.ts';
import { AnswerWriter } from './answer-writer.ts';

interface Policies {
  readonly transform?: unknown;
  readonly cache?: unknown;
}

function compile({ transform, cache }: Policies = {}): Route {
  const policies = {
    authentication: 'public' as const,
    ...(transform === undefined ? {} : { transform: policyRegistry.transform.schema.parse(transform) }),
    ...(cache === undefined ? {} : { cache: policyRegistry.cache.schema.parse(cache) }),
  };
  return createCompiler([new TransformStageFactory(), new CacheStageFactory()]).compile(
    defineRoute({ path: '/*', upstream: 'users', policies: [policies] }),
  );
}

let server: Server | undefined;
let last: Exchange;

afterEach(async () => {
  server?.close();
  server?.closeAllConnections();
  if (server !== undefined) await once(server, 'close');
});

/** Lets a writer answer every request, after the stages of the way in. */
async function serve(
  route: Route,
  write: (writer: AnswerWriter, exchange: Exchange) => void,
): Promise<string> {
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const exchange = (last = exchangeFor(request, response));
    exchange.route = route;
    const writer = new AnswerWriter(exchange, route);
    exchange.onCancel((reason) => writer.fail(reason));
    void enterStages(route.stages, exchange);
    if (exchange.cached === undefined) write(writer, exchange);
    else writer.replay(exchange.cached);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const answerOf = async (route: Route, headers: string[], ...pieces: (string | Buffer)[]): Promise<Answer> =>
  call(
    await serve(route, (writer, exchange) => {
      writer.start(200, [...headers]);
      for (const piece of pieces) if (exchange.cancelled === undefined) writer.data(Buffer.from(piece));
      if (exchange.cancelled === undefined) writer.end();
    }),
  );

const JSON_TYPE = ['content-type', 'application/json'];
const MASKED = { transform: { response: { maskFields: ['internal'] } } };
const codeOf = (answer: Answer) => [answer.status, answer.json<{ code: string }>().code];

describe('an answer that streams through', () => {
  it.each([
    ['of a known length', ['content-length', '10']],
    ['of an unknown length', []],
  ])('%s arrives as it is, with the request id', async (_, headers) => {
    const answer = await answerOf(compile(), headers, '12345', '67890');
    expect([answer.text, answer.headers['x-request-id'], last.bytesOut]).toEqual(['1234567890', 'test', 10]);
  });

  it('takes the fields that stages left, and the edits of its head', async () => {
    const route = compile({
      transform: { response: { setHeaders: { 'x-a': '2' }, removeHeaders: ['server'] } },
    });
    const url = await serve(route, (writer, exchange) => {
      exchange.responseHeaders.push('ratelimit', 'r=1');
      writer.start(201, ['Server', 'secret/1.0', 'X-A', '1', 'content-length', '0']);
      writer.end();
    });
    const { status, headers } = await call(url);
    expect(status).toBe(201);
    expect(headers).toMatchObject({ 'x-a': '2', ratelimit: 'r=1' });
    expect(headers).not.toHaveProperty('server');
  });
});

describe('a masked answer', () => {
  it('loses its fields, and those that described its bytes', async () => {
    const described = [
      'content-length',
      '27',
      'ETag',
      '"1"',
      'digest',
      'x',
      'accept-ranges',
      'bytes',
      'x-a',
      '1',
    ];
    const answer = await answerOf(
      compile(MASKED),
      [...JSON_TYPE, ...described],
      '{"internal":1,',
      '"id":1.0}',
    );
    expect([answer.text, answer.headers['content-length']]).toEqual(['{"id":1.0}', '10']);
    expect(answer.headers['x-a']).toBe('1');
    for (const name of ['etag', 'digest', 'accept-ranges']) expect(answer.headers).not.toHaveProperty(name);
  });

  it.each(['image/png', 'text/html; charset=utf-8'])('of type %s is left alone', async (type) => {
    const answer = await answerOf(
      compile(MASKED),
      ['content-type', type, 'etag', '"1"'],
      '<p>{"internal":1}',
    );
    expect([answer.text, answer.headers.etag]).toEqual(['<p>{"internal":1}', '"1"']);
  });

  it.each<[string, string[]]>([
    ['text/json', ['content-type', 'text/json']],
    ['text/plain', ['content-type', 'text/plain']],
    ['no type', []],
    ['two types', ['content-type', 'image/png', 'content-type', 'application/json']],
    ['a list of types', ['content-type', 'image/png, application/json']],
    ['a type in quotes', ['content-type', '"image/png"']],
    ['one value of many', ['content-type', 'application/x-ndjson']],
  ])('of %s is masked', async (_, headers) => {
    expect((await answerOf(compile(MASKED), headers, '{"internal":1,"a":2}')).text).toBe('{"a":2}');
  });

  it.each<[string, string[]]>([
    ['many values', ['content-type', 'application/x-ndjson']],
    ['many values of no type', []],
    ['events', ['content-type', 'text/event-stream']],
    ['two codings', [...JSON_TYPE, 'content-encoding', 'identity', 'content-encoding', 'gzip']],
  ])('of %s is a problem, and nothing of it is sent', async (_, headers) => {
    const answer = await answerOf(compile(MASKED), headers, '{"internal":1}\n', '{"internal":2}\n');
    expect(codeOf(answer)).toEqual([502, 'upstream-response-invalid']);
    expect(answer.text).not.toContain('internal"');
  });

  it('of plain text keeps every byte, and the fields that describe them', async () => {
    const answer = await answerOf(
      compile(MASKED),
      ['content-type', 'text/plain', 'etag', '"1"'],
      'Not ',
      'found',
    );
    expect([answer.text, answer.headers.etag]).toEqual(['Not found', '"1"']);
  });

  it('is judged by the type that the upstream gave it, not by the one that the route sets', async () => {
    const setHeaders = { 'content-type': 'image/png' };
    const route = compile({ transform: { response: { maskFields: ['internal'], setHeaders } } });
    const answer = await answerOf(route, JSON_TYPE, '{"internal":1,"a":2}');
    expect([answer.text, answer.headers['content-type']]).toEqual(['{"a":2}', 'image/png']);
  });

  it('of no length stays empty', async () => {
    expect((await answerOf(compile(MASKED), JSON_TYPE)).text).toBe('');
  });

  it('over `maxBody` is a problem', async () => {
    const route = compile({ transform: { response: { maskFields: ['internal'], maxBody: '20B' } } });
    const answer = await answerOf(route, JSON_TYPE, '{"internal":1,', '"a":"something long"}');
    expect(codeOf(answer)).toEqual([502, 'upstream-response-invalid']);
  });

  it('that is compressed is decoded', async () => {
    const headers = [...JSON_TYPE, 'content-encoding', 'gzip'];
    const answer = await answerOf(compile(MASKED), headers, gzipSync('{"internal":1,"a":2}'));
    expect([answer.status, answer.text]).toEqual([200, '{"a":2}']);
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });

  it('that is compressed in a way that nobody knows is a problem', async () => {
    const headers = [...JSON_TYPE, 'content-encoding', 'compress'];
    expect(codeOf(await answerOf(compile(MASKED), headers, '{"internal":1}'))).toEqual([
      502,
      'upstream-response-invalid',
    ]);
  });

  it('that is no JSON is a problem, and nothing of it is sent', async () => {
    const answer = await answerOf(compile(MASKED), JSON_TYPE, '{"internal": "secret"');
    expect(codeOf(answer)).toEqual([502, 'upstream-response-invalid']);
    expect(answer.text).not.toContain('secret');
  });
});

describe('a stored answer', () => {
  it('is masked anew, and its bytes are those of the upstream', async () => {
    let asked = 0;
    const url = await serve(compile({ ...MASKED, cache: { ttl: '60s' } }), (writer) => {
      asked += 1;
      writer.start(200, [...JSON_TYPE]);
      writer.data(Buffer.from('{"internal":1,"a":2}'));
      writer.end();
    });
    expect((await call(url)).headers).not.toHaveProperty('x-cache');
    const again = await call(url);
    expect([again.text, again.headers['x-cache'], asked]).toEqual(['{"a":2}', 'HIT', 1]);
    const head = await call(url, { method: 'HEAD' });
    expect([head.text, head.headers['x-cache']]).toEqual(['', 'HIT']);
  });

  it('is never one that could not be masked', async () => {
    let body = '{"internal":';
    const url = await serve(compile({ ...MASKED, cache: { ttl: '60s' } }), (writer) => {
      writer.start(200, [...JSON_TYPE]);
      writer.data(Buffer.from(body));
      writer.end();
    });
    expect((await call(url)).status).toBe(502);
    body = '{"internal":1}';
    expect((await call(url)).text).toBe('{}');
  });

  it.each([
    ['stands in for an upstream in trouble', 'upstream-unreachable', 200],
    ['never stands in for a refusal of the caller', 'rate-limited', 429],
  ] as const)('%s', async (_, code, status) => {
    let broken = false;
    const url = await serve(compile({ cache: { ttl: '1ms', staleIfError: '60s' } }), (writer) => {
      if (broken) return writer.fail(new Problem(code));
      writer.start(200, ['content-length', '3']);
      writer.data(Buffer.from('old'));
      writer.end();
    });
    await call(url);
    broken = true;
    await new Promise((resolve) => setTimeout(resolve, 10));
    const answer = await call(url);
    expect([answer.status, answer.headers['x-cache']]).toEqual([
      status,
      status === 200 ? 'STALE' : undefined,
    ]);
  });

  it('cannot take back an answer that has begun', async () => {
    let times = 0;
    const url = await serve(compile({ cache: { ttl: '1ms', staleIfError: '60s' } }), (writer) => {
      times += 1;
      writer.start(200, ['content-length', '10']);
      writer.data(Buffer.from(times === 1 ? '1234567890' : '123'));
      if (times > 1) setTimeout(() => writer.fail(new Problem('upstream-unreachable')), 20);
      else writer.end();
    });
    await call(url);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(call(url)).rejects.toThrow('aborted');
  });
});
