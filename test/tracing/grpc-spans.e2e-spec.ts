import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { asIs, encoded, metadataOf, unary } from '../support/pass-gateway.ts';
import { childrenOf, fieldsOf, Traces, useTracedWorld, type Traced } from '../support/traced-world.ts';

const world = useTracedWorld();
const traces = new Traces(world);
const JSON_BODY = { 'content-type': 'application/json' };

beforeEach(() => {
  world.kinds.reset();
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
    const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/test/chat/hi`, [], {
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
