import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { once } from 'node:events';
import { constants, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'; // prettier-ignore
import type { AddressInfo } from 'node:net';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { GetOrderResponseSchema, Orders } from '../../routes/services/gen/shop/v1/orders_pb.ts';
import { Problem } from '../../problems/problem.ts';
import { CallBed, exchangeFor, problemOf } from './call.fixture.ts';
import { framed, readMessage, timeoutText } from './unary-wire.ts';

const ORDER = toBinary(GetOrderResponseSchema, create(GetOrderResponseSchema, { order: { id: 'ord-1' } }));
const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

/** An answer as a server of gRPC writes it. */
function answer(
  stream: ServerHttp2Stream,
  body: Buffer | undefined,
  trailers: Record<string, string> = { 'grpc-status': '0' },
  head: Record<string, string | number> = HEAD,
): void {
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

function flagged(bytes: Buffer): Buffer {
  const frame = framed(bytes);
  frame[0] = 1;
  return frame;
}

describe('unary calls over HTTP/2', () => {
  let server: Http2Server;
  let bed: CallBed;
  let connections = 0;
  let streams = 0;
  let behave: (stream: ServerHttp2Stream) => void = (stream) => answer(stream, framed(ORDER));

  async function open(settings: { maxConcurrentStreams?: number } = {}, options: object = {}): Promise<void> {
    server = createServer({ settings });
    connections = streams = 0;
    server.on('session', () => (connections += 1));
    server.on('stream', (stream: ServerHttp2Stream) => {
      streams += 1;
      stream.on('error', () => undefined);
      stream.resume();
      behave(stream);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const origin = `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`;
    bed = new CallBed({ orders: { protocol: 'grpc', targets: [origin], circuitBreaker: 'off', ...options } });
  }

  function call(idempotent = false): Promise<{ order?: { id: string } | undefined }> {
    const limits = { exchange: exchangeFor(), timeoutMs: Infinity, idempotent };
    return bed.grpc.unary(bed.upstreams.get('orders'), Orders.method.getOrder, { id: 'ord-1' }, limits);
  }

  beforeEach(() => {
    behave = (stream) => answer(stream, framed(ORDER));
  });

  afterEach(async () => {
    await bed.close();
    await new Promise<void>((closed) => server.close(() => closed()));
  });

  it('sends one message with its length, and the fields of the protocol', async () => {
    let sent: unknown;
    const chunks: Buffer[] = [];
    behave = (stream) => {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => answer(stream, framed(ORDER)));
    };
    await open();
    server.on('stream', (_stream, headers) => (sent = headers));
    expect((await call()).order?.id).toBe('ord-1');
    expect(sent).toMatchObject({
      ':method': 'POST',
      ':path': '/shop.v1.Orders/GetOrder',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': expect.stringMatching(/^[0-9]{1,8}m$/),
    });
    expect(Buffer.concat(chunks).toString('hex')).toBe('00000000070a056f72642d31');
  });

  it.each([
    ['a small message as it is', 'ord-1', 0],
    ['a large one compressed', 'ord-'.repeat(1000), 1],
  ])('sends %s where the upstream wants gzip', async (_, id, flag) => {
    let asked: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    behave = (stream) => {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => answer(stream, framed(ORDER)));
    };
    await open({}, { compression: 'gzip' });
    server.on('stream', (_stream, headers) => (asked = headers));
    const limits = { exchange: exchangeFor(), timeoutMs: Infinity };
    await bed.grpc.unary(bed.upstreams.get('orders'), Orders.method.getOrder, { id }, limits);
    const sent = Buffer.concat(chunks);
    expect([asked['grpc-encoding'], sent[0], sent.readUInt32BE(1)]).toEqual(['gzip', flag, sent.length - 5]);
    const message = flag === 1 ? gunzipSync(sent.subarray(5)) : sent.subarray(5);
    expect(message.includes(id)).toBe(true);
  });

  it.each([
    ['gzip', gzipSync(ORDER)],
    ['deflate', deflateSync(ORDER)],
  ])('reads an answer that is compressed with %s', async (encoding, bytes) => {
    behave = (stream) => answer(stream, flagged(bytes), undefined, { ...HEAD, 'grpc-encoding': encoding });
    await open();
    expect((await call()).order?.id).toBe('ord-1');
  });

  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['is compressed in a way that was not offered', (one) => answer(one, flagged(Buffer.from('snappy')))],
    ['is no gzip', (one) => answer(one, flagged(Buffer.from('x')), undefined, { ...HEAD, 'grpc-encoding': 'gzip' })],
    ['is shorter than it says', (one) => answer(one, framed(ORDER).subarray(0, 7))],
    ['is missing', (one) => answer(one, undefined)],
    ['comes twice', (one) => answer(one, Buffer.concat([framed(ORDER), framed(ORDER)]))],
    ['is too large', (one) => answer(one, framed(Buffer.alloc(4 * 1024 * 1024 + 1)))],
    ['is a bomb', (one) => answer(one, flagged(gzipSync(Buffer.alloc(5 * 1024 * 1024))), undefined, { ...HEAD, 'grpc-encoding': 'gzip' })],
  ])('answers upstream-response-invalid when the message %s', async (_, misbehave) => {
    behave = misbehave;
    await open();
    expect(await problemOf(call())).toBe('upstream-response-invalid');
  }); // prettier-ignore

  it.each(['', '00', '0x0', ' 0', '-0', '0.0', 'OK', 'toString'])(
    'takes nothing for OK that is not its number: "%s"',
    async (written) => {
      behave = (stream) => answer(stream, framed(ORDER), { 'grpc-status': written });
      await open();
      expect(await problemOf(call())).toBe('upstream-rejected');
    },
  );

  it('reads a status that comes with the head', async () => {
    behave = (stream) =>
      stream.respond({ ...HEAD, 'grpc-status': '5', 'grpc-message': '100%' }, { endStream: true });
    await open();
    expect(await problemOf(call())).toBe('resource-not-found');
  });

  it.each([
    [401, 'upstream-rejected'],
    [404, 'not-implemented'],
    [503, 'upstream-unreachable'],
    [418, 'upstream-rejected'],
  ])('goes by the status of HTTP when there is none of gRPC: %d', async (status, problem) => {
    behave = (stream) => {
      stream.respond({ ':status': status, 'content-type': 'text/html' });
      stream.end('<h1>no gRPC here</h1>');
    };
    await open();
    expect(await problemOf(call())).toBe(problem);
  });

  it.each([
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR, 'upstream-rejected', 1],
    ['PROTOCOL_ERROR', constants.NGHTTP2_PROTOCOL_ERROR, 'upstream-rejected', 1],
    ['CANCEL', constants.NGHTTP2_CANCEL, 'upstream-unreachable', 1],
    ['ENHANCE_YOUR_CALM', constants.NGHTTP2_ENHANCE_YOUR_CALM, 'upstream-exhausted', 1],
    ['INADEQUATE_SECURITY', constants.NGHTTP2_INADEQUATE_SECURITY, 'permission-denied', 1],
    // Certainly not processed: asked once more on the same connection.
    ['REFUSED_STREAM', constants.NGHTTP2_REFUSED_STREAM, 'upstream-unreachable', 2],
  ])('reads a stream that is reset with %s', async (_, code, problem, asked) => {
    behave = (stream) => stream.close(code);
    await open();
    expect(await problemOf(call())).toBe(problem);
    expect(streams).toBe(asked);
  });

  it('ends a call that is given up in the turn that sent it, and goes on with the connection', async () => {
    await open();
    await call();
    let reset: Promise<unknown> | undefined;
    behave = (stream) => (reset = once(stream, 'close'));
    const exchange = exchangeFor();
    const limits = { exchange, timeoutMs: Infinity };
    const orders = bed.upstreams.get('orders');
    const outcome = problemOf(bed.grpc.unary(orders, Orders.method.getOrder, { id: 'ord-1' }, limits));
    exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    while (reset === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    await reset;
    behave = (stream) => answer(stream, framed(ORDER));
    expect((await call()).order?.id).toBe('ord-1');
    expect(connections).toBe(1);
  });

  it('makes no call that is given up before there is a connection', async () => {
    await open();
    const exchange = exchangeFor();
    const limits = { exchange, timeoutMs: Infinity };
    const orders = bed.upstreams.get('orders');
    const outcome = problemOf(bed.grpc.unary(orders, Orders.method.getOrder, { id: 'ord-1' }, limits));
    exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    expect((await call()).order?.id).toBe('ord-1');
    expect(streams).toBe(1);
  });

  it('opens another connection when the streams of the first are in use', async () => {
    const held: ServerHttp2Stream[] = [];
    await open({ maxConcurrentStreams: 1 });
    await call();
    behave = (stream) => void held.push(stream);
    const calls = [call(), call()];
    while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(connections).toBe(2);
    for (const stream of held) answer(stream, framed(ORDER));
    expect((await Promise.all(calls)).map(({ order }) => order?.id)).toEqual(['ord-1', 'ord-1']);
  });

  it('goes on with a new connection when the server sends the old one away', async () => {
    await open();
    await call();
    behave = (stream) => {
      answer(stream, framed(ORDER));
      stream.session?.goaway();
    };
    await call();
    behave = (stream) => answer(stream, framed(ORDER));
    expect((await call()).order?.id).toBe('ord-1');
    expect(connections).toBe(2);
  });
});

describe(timeoutText.name, () => {
  it.each([
    [0.2, '1m'],
    [1500.1, '1501m'],
    [1e8, '100000S'],
    [Infinity, '99999999S'],
  ])('writes %d ms with at most eight digits', (ms, text) => expect(timeoutText(ms)).toBe(text));
});

describe(readMessage.name, () => {
  it('answers at once when nothing has to be decompressed', () => {
    let message: Uint8Array | undefined;
    readMessage(framed(ORDER), undefined, (_fault, bytes) => (message = bytes));
    expect(message).toEqual(Buffer.from(ORDER));
  });
});
