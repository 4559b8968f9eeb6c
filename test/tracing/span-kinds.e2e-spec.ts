import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { asIs, encoded, metadataOf, unary } from '../support/pass-gateway.ts';
import { childrenOf, fieldsOf, Traces, useTracedWorld, type Traced } from '../support/traced-world.ts';
import { echo } from '../support/upstream.ts';

const world = useTracedWorld();
const traces = new Traces(world);
const JSON_BODY = { 'content-type': 'application/json' };

beforeEach(() => {
  world.kinds.reset();
  world.http.listener = echo;
  for (const one of world.pair) one.listener = (_, response) => void response.writeHead(200).end('{}');
});

/** The one call of gRPC of a trace, and its attempts. */
function callOf({ spans, server }: Traced) {
  const [rpc, ...more] = childrenOf(spans, server).filter(({ kind }) => kind === 'client');
  expect(more).toEqual([]);
  return { rpc, attempts: childrenOf(spans, rpc) };
}

describe('a translated call of gRPC', () => {
  it('is one span of a client, and its attempt below is what the service goes on with', async () => {
    const traced = await traces.of('/test/echo', { method: 'POST', headers: JSON_BODY, body: '{}' });
    const { rpc, attempts } = callOf(traced);
    expect(traced.server).toMatchObject({ name: 'POST /test/echo', status: 'unset' });
    expect(rpc).toMatchObject({
      name: 'test.v1.Kinds/Echo',
      status: 'unset',
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': 'test.v1.Kinds/Echo',
        'rpc.response.status_code': 'OK',
        'server.address': 'kinds',
      },
    });
    expect(attempts).toMatchObject([{ name: 'attempt kinds', kind: 'internal' }]);
    const heard = world.kinds.lastMetadata?.get('traceparent');
    expect(heard).toEqual([`00-${traced.traceId}-${attempts[0]?.spanId}-01`]);
  });

  it('is a fault of the call where the service refuses, and none of ours where the client is to blame', async () => {
    world.kinds.refusal = { code: status.NOT_FOUND, details: 'no such thing' };
    const traced = await traces.of('/test/echo', { method: 'POST', headers: JSON_BODY, body: '{}' });
    expect(traced.server).toMatchObject({
      status: 'unset',
      attributes: { 'http.response.status_code': 404 },
    });
    expect(callOf(traced).rpc).toMatchObject({
      status: 'error',
      attributes: { 'error.type': 'NOT_FOUND', 'rpc.response.status_code': 'NOT_FOUND' },
    });
  });
});

describe('a translated stream', () => {
  it('has spans that last as long as it does', async () => {
    let release = (): void => undefined;
    world.kinds.header = new Metadata();
    world.kinds.hold = new Promise((resolve) => (release = resolve));
    const traceId = traces.next();
    const answer = await fetch(`${world.gateway.url}/test/count/1`, {
      headers: { ...fieldsOf(traceId), accept: 'text/event-stream' },
    });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const openedNs = BigInt(Date.now()) * 1_000_000n;
    await sleep(20);
    release();
    while (!(await reader.read()).done);
    const traced = await traces.spans(traceId);
    const { rpc, attempts } = callOf(traced);
    for (const span of [traced.server, rpc, attempts[0]]) expect(span?.endNs).toBeGreaterThan(openedNs);
    expect(rpc).toMatchObject({ name: 'test.v1.Kinds/Count', status: 'unset' });
    expect(attempts).toMatchObject([{ status: 'unset', attributes: { 'rpc.response.status_code': 'OK' } }]);
    expect(traced.server).toMatchObject({
      status: 'unset',
      attributes: { 'http.response.status_code': 200 },
    });
    expect(world.kinds.lastMetadata?.get('traceparent')).toEqual([`00-${traceId}-${attempts[0]?.spanId}-01`]);
  });

  it.each(['text/event-stream', 'application/json'])(
    'that breaks off is a fault of all of them, as %s',
    async (accept) => {
      world.kinds.refusal = { code: status.INTERNAL, details: 'broke' };
      const traced = await traces.of('/test/count/5?failAfter=2', { headers: { accept } });
      const { rpc, attempts } = callOf(traced);
      expect(traced.server).toMatchObject({ status: 'error' });
      expect(rpc).toMatchObject({ status: 'error' });
      expect(attempts).toMatchObject([{ status: 'error' }]);
    },
  );

  it('whose client leaves is no fault, and says so', async () => {
    world.kinds.hold = new Promise(() => undefined);
    world.kinds.header = new Metadata();
    const traceId = traces.next();
    const leaving = new AbortController();
    const answer = await fetch(`${world.gateway.url}/test/count/5`, {
      headers: { ...fieldsOf(traceId), accept: 'text/event-stream' },
      signal: leaving.signal,
    });
    await (answer.body as ReadableStream<Uint8Array>).getReader().read();
    leaving.abort();
    const { server, spans } = await traces.spans(traceId);
    expect(server).toMatchObject({
      status: 'unset',
      attributes: { 'error.type': 'client-closed', 'http.response.status_code': 200, 'gatehouse.cut': true },
    });
    expect(childrenOf(spans, server)).toMatchObject([{ kind: 'client', status: 'unset' }]);
  });

  it('over a WebSocket has the span of its handshake until it ends', async () => {
    const traceId = traces.next();
    const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/test/chat/hi`, {
      headers: fieldsOf(traceId),
    });
    await once(socket, 'open');
    socket.send('{"number":"1"}');
    await once(socket, 'message');
    socket.send('');
    await once(socket, 'close');
    const traced = await traces.spans(traceId);
    expect(traced.server).toMatchObject({
      name: 'GET /test/chat/{note}',
      status: 'unset',
      attributes: { 'http.response.status_code': 101, 'gatehouse.route.id': 'kinds.Chat' },
    });
    expect(callOf(traced).rpc).toMatchObject({ name: 'test.v1.Kinds/Chat', status: 'unset' });
  });
});

describe('a call of gRPC that is passed on', () => {
  it('has the spans of the conventions, at both sides', async () => {
    const traceId = traces.next();
    expect((await unary(world.client, { fields: fieldsOf(traceId) })).code).toBe(0);
    const traced = await traces.spans(traceId);
    const { rpc, attempts } = callOf(traced);
    expect(traced.server).toMatchObject({
      name: 'POST /test.v1.Kinds/*',
      status: 'unset',
      attributes: { 'http.response.status_code': 200, 'rpc.response.status_code': 'OK', 'network.protocol.version': '2' },
    }); // prettier-ignore
    expect(rpc).toMatchObject({
      name: 'test.v1.Kinds/Echo',
      attributes: { 'rpc.response.status_code': 'OK' },
    });
    expect(world.kinds.lastMetadata?.get('traceparent')).toEqual([`00-${traceId}-${attempts[0]?.spanId}-01`]);
  });

  it.each([
    ['INTERNAL', 'error'],
    ['NOT_FOUND', 'unset'],
  ] as const)('that ends with %s is %s at the server, and a fault of the client', async (name, how) => {
    world.kinds.refusal = { code: status[name], details: 'no' };
    const traceId = traces.next();
    await unary(world.client, { fields: fieldsOf(traceId) });
    const traced = await traces.spans(traceId);
    expect(traced.server).toMatchObject({ status: how, attributes: { 'rpc.response.status_code': name } });
    expect(callOf(traced).rpc).toMatchObject({ status: 'error', attributes: { 'error.type': name } });
  });

  it('has spans that last as long as its stream', async () => {
    const traceId = traces.next();
    const stream = world.client.makeBidiStreamRequest('/test.v1.Kinds/Chat', asIs, asIs, metadataOf(fieldsOf(traceId)));
    stream.write(encoded('Tick', { number: 1n }));
    await once(stream, 'data');
    const openedNs = BigInt(Date.now()) * 1_000_000n;
    await sleep(20);
    stream.end();
    stream.resume();
    await once(stream, 'status');
    const traced = await traces.spans(traceId);
    const { rpc, attempts } = callOf(traced);
    for (const span of [traced.server, rpc, attempts[0]]) expect(span?.endNs).toBeGreaterThan(openedNs);
    expect(rpc).toMatchObject({ name: 'test.v1.Kinds/Chat', status: 'unset' });
  }); // prettier-ignore
});

describe('a call of gRPC that nobody answers', () => {
  it('shows its attempts at several targets below the one call', async () => {
    const traceId = traces.next();
    await unary(world.client, { path: '/test.v1.Gone/Do', fields: fieldsOf(traceId) });
    const traced = await traces.spans(traceId);
    const { rpc, attempts } = callOf(traced);
    expect(traced.server).toMatchObject({
      status: 'error',
      attributes: { 'rpc.response.status_code': 'UNAVAILABLE' },
    });
    expect(rpc).toMatchObject({ name: 'test.v1.Gone/Do', status: 'error' });
    expect(attempts.map(({ attributes }) => attributes['gatehouse.attempt.reason'])).toEqual([
      undefined,
      'retry',
    ]);
    expect(new Set(attempts.map(({ attributes }) => attributes['gatehouse.target'])).size).toBe(2);
    for (const one of attempts) expect(one).toMatchObject({ status: 'error' });
  });
});

describe('a forwarded WebSocket', () => {
  const open = async () => {
    const traceId = traces.next();
    const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/socket?access_token=hushhush`, {
      headers: { ...fieldsOf(traceId), origin: 'https://app.example' },
    });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    return { traceId, socket, behind: world.sockets.open.at(-1) as WebSocket };
  };

  it('is one span that ends with it, its handshake the attempt', async () => {
    const { traceId, socket } = await open();
    socket.send('hello');
    await once(socket, 'message');
    const openedNs = BigInt(Date.now()) * 1_000_000n;
    expect(world.collector.spans.some((span) => span.traceId === traceId)).toBe(false);
    await sleep(20);
    socket.close(1000);
    const { server, spans } = await traces.spans(traceId);
    expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['client', 'server']);
    expect(server).toMatchObject({
      name: 'GET /socket',
      status: 'unset',
      attributes: {
        'http.response.status_code': 101,
        'url.query': 'access_token=REDACTED',
        'gatehouse.socket.closed_by': 'client',
        'gatehouse.socket.close_code': 1000,
        'gatehouse.socket.messages.in': 1,
        'gatehouse.socket.messages.out': 1,
      },
    });
    expect(server.endNs).toBeGreaterThan(openedNs);
    const [handshake] = childrenOf(spans, server);
    expect(handshake).toMatchObject({ name: 'GET', status: 'unset', attributes: { 'http.response.status_code': 101 } });
    expect(world.sockets.handshakes.at(-1)?.headers['traceparent']).toBe(`00-${traceId}-${handshake?.spanId}-01`);
  }); // prettier-ignore

  it.each([
    ['that the service ends with a fault of its own', (behind: WebSocket) => behind.close(1011), '1011'],
    ['whose service goes without a word', (behind: WebSocket) => behind.terminate(), '1006'],
  ])('%s is a fault', async (_, ends, type) => {
    const { traceId, behind } = await open();
    ends(behind);
    const { server } = await traces.spans(traceId);
    expect(server).toMatchObject({
      status: 'error',
      attributes: { 'error.type': type, 'gatehouse.socket.closed_by': 'upstream' },
    });
  });

  it('that its client ends badly, or its service well, is none', async () => {
    const one = await open();
    one.socket.terminate();
    const other = await open();
    other.behind.close(1001);
    for (const { traceId } of [one, other]) expect((await traces.spans(traceId)).server.status).toBe('unset');
  });
});

describe('several attempts', () => {
  it('at several targets are spans beside each other', async () => {
    for (const one of world.pair) one.listener = (_, response) => void response.writeHead(503).end();
    const { spans, server } = await traces.of('/retried');
    const attempts = childrenOf(spans, server);
    expect(attempts.map(({ attributes: { 'http.request.resend_count': resends, 'gatehouse.attempt.reason': reason, 'error.type': type } }) => [resends, reason, type])).toEqual([
      [undefined, undefined, '503'],
      [1, 'retry', '503'],
    ]); // prettier-ignore
    expect(new Set(attempts.map(({ attributes }) => attributes['server.port'])).size).toBe(2);
    expect(server).toMatchObject({ status: 'error', attributes: { 'error.type': '503' } });
  });

  it('that are well at last leave the exchange without a fault', async () => {
    let turn = 0;
    for (const one of world.pair)
      one.listener = (_, response) => void response.writeHead((turn += 1) === 1 ? 503 : 200).end();
    const { spans, server } = await traces.of('/retried');
    expect(childrenOf(spans, server).map((one) => one.status)).toEqual(['error', 'unset']);
    expect(server.status).toBe('unset');
  });

  it('of a hedge say which was the second, and who lost has no fault', async () => {
    let turn = 0;
    for (const one of world.pair)
      one.listener = (_, response) =>
        (turn += 1) === 1 ? undefined : void response.writeHead(200).end('{}');
    const { spans, server } = await traces.of('/hedged');
    const [first, second] = childrenOf(spans, server);
    expect(first).toMatchObject({ status: 'unset' });
    expect(first?.attributes).not.toHaveProperty(['http.response.status_code']);
    expect(second).toMatchObject({
      status: 'unset',
      attributes: { 'gatehouse.attempt.reason': 'hedge', 'http.request.resend_count': 1, 'http.response.status_code': 200 },
    }); // prettier-ignore
    expect((second?.startNs ?? 0n) > (first?.startNs ?? 0n)).toBe(true);
  });
});

describe('an answer that breaks off', () => {
  it('is a fault of the attempt, which keeps its status, and of the exchange', async () => {
    world.http.listener = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 20);
    };
    const { spans, server } = await traces.of('/plain');
    expect(server).toMatchObject({ status: 'error', attributes: { 'http.response.status_code': 200, 'gatehouse.cut': true } });
    expect(childrenOf(spans, server)).toMatchObject([
      { status: 'error', attributes: { 'http.response.status_code': 200, 'error.type': expect.stringMatching(/^[a-z-]+$/) } },
    ]);
  }); // prettier-ignore
});

describe('a mirrored request', () => {
  it('carries the trace, and has no span', async () => {
    const heard = new Promise<unknown>((resolve) => {
      for (const one of world.pair)
        one.listener = ({ headers }, response) => {
          response.writeHead(200).end();
          resolve(headers['traceparent']);
        };
    });
    const { traceId, spans, server } = await traces.of('/mirrored');
    expect(await heard).toBe(`00-${traceId}-${server.spanId}-01`);
    expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['client', 'server']);
  });
});

describe('secrets', () => {
  const SECRET = 'c4n4ry-of-the-mine';

  it('are in no span, wherever they were said', async () => {
    const secret = { authorization: `Bearer ${SECRET}`, cookie: `sid=${SECRET}`, 'x-api-key': SECRET, 'x-token': SECRET };
    const body = JSON.stringify({ stringValue: SECRET });
    await traces.of(`/plain?token=${SECRET}&page=${SECRET}`, { method: 'POST', headers: secret, body });
    await traces.of('/test/echo', { method: 'POST', headers: { ...secret, ...JSON_BODY }, body });
    await traces.of(`/test/count/1?note=${SECRET}`, { headers: secret });
    world.kinds.refusal = { code: status.INTERNAL, details: SECRET };
    await traces.of('/test/echo', { method: 'POST', headers: { ...secret, ...JSON_BODY }, body });
    world.http.listener = (_, response) =>
      void response.writeHead(500, { 'set-cookie': `sid=${SECRET}`, 'x-token': SECRET }).end(SECRET);
    await traces.of(`/plain?password=${SECRET}`, { headers: { ...secret, baggage: `key=${SECRET}` } });
    await traces.of(`/nowhere?${SECRET}`, { headers: { forwarded: `for=${SECRET}`, referer: `http://x/${SECRET}` } });
    const call = traces.next();
    await unary(world.client, { bytes: Buffer.from(SECRET), fields: { ...fieldsOf(call), authorization: SECRET } });
    await traces.spans(call);
    const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/socket?access_token=${SECRET}`, {
      headers: { ...fieldsOf(traces.next()), ...secret, origin: `https://${SECRET}.test` },
    });
    socket.on('error', () => undefined);
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    socket.close(1000, SECRET);
    await traces.of('/plain');
    expect(world.collector.raw.join('')).not.toContain(SECRET);
  }); // prettier-ignore
});
