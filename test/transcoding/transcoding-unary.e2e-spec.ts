import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { once } from 'node:events';
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { BadRequestSchema } from '../../src/upstreams/grpc/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../src/upstreams/grpc/gen/google/rpc/status_pb.ts';
import { framed } from '../../src/upstreams/grpc/unary-wire.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { kindsConfig } from '../support/kinds-gateway.ts';

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };
const OK = { 'grpc-status': '0' };
/** `{ "stringValue": "x" }`. */
const message = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const size = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([STRING_VALUE, ...size]), bytes]);
};
const STRING_VALUE = (14 << 3) | 2;
const GRPC =
  'metadata: { request: [x-tag, data-bin], response: [x-answer, x-two, set-cookie, raw-bin, x-trailer, x-hidden] }';

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

describe('a translated unary call on the wire', () => {
  let server: Http2Server;
  let gateway: TestGateway;
  let asked: Asked[];
  let connections: number;
  let behave: (stream: ServerHttp2Stream) => void;

  const answer = (
    stream: ServerHttp2Stream,
    body: Buffer | undefined,
    { head = {}, trailers = OK }: { head?: object; trailers?: Record<string, string | string[]> } = {},
  ): void => {
    stream.respond({ ...HEAD, ...head }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  };
  const open = async (upstream = 'circuitBreaker: off'): Promise<void> => {
    const target = `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`;
    gateway = await startGateway({ config: kindsConfig({ target, grpc: GRPC, upstream }) });
  };
  const send = (text = 'x', headers = {}) =>
    call(`${gateway.url}/test/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ stringValue: text }),
    });

  beforeEach(async () => {
    asked = [];
    connections = 0;
    behave = (stream) => answer(stream, framed(message('y')));
    server = createServer();
    server.on('session', () => (connections += 1));
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        asked.push({ headers, body: Buffer.concat(pieces) });
        behave(stream);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    await gateway.stop();
    await new Promise<void>((closed) => server.close(() => closed()));
  });

  it('goes over our own connection, with the time that is left and the metadata that is listed', async () => {
    await open('circuitBreaker: off, timeouts: { firstByte: 7s }');
    // The spelling of base64 does not matter: no padding, and the alphabet for addresses.
    const answered = await send('x', { 'x-tag': 't', 'data-bin': '_wA', 'x-other': 'o' });
    expect([answered.status, answered.json()]).toEqual([200, { stringValue: 'y' }]);
    expect((await send()).status).toBe(200);
    expect(connections).toBe(1);
    const [{ headers, body }] = asked as [Asked];
    expect(body).toEqual(framed(message('x')));
    expect(headers).toMatchObject({
      ':path': '/test.v1.Kinds/Echo',
      'user-agent': 'gatehouse',
      'x-tag': 't',
      'data-bin': '/wA=',
      'x-request-id': answered.headers['x-request-id'],
    });
    expect(headers).not.toHaveProperty('x-other');
    const left = Number(/^(\d{1,8})m$/.exec(String(headers['grpc-timeout']))?.[1]);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(7000);
  });

  it('answers metadata of head and trailers: several values, cookies, bytes in one spelling', async () => {
    behave = (stream) =>
      answer(stream, framed(message('y')), {
        head: { 'x-answer': 'a', 'x-two': ['1', '2'], 'set-cookie': ['a=1; Expires=Thu, 01 Jan', 'b=2'], 'raw-bin': '_wA, AQ' },
        trailers: { ...OK, 'x-trailer': 't', 'x-hidden': 'café' },
      }); // prettier-ignore
    await open();
    const { headers } = await send();
    expect(headers).toMatchObject({
      'x-answer': 'a',
      'x-two': '1, 2',
      'set-cookie': ['a=1; Expires=Thu, 01 Jan', 'b=2'],
      'raw-bin': '/wA=, AQ==',
      'x-trailer': 't',
    });
    // What a header line of ours cannot hold is left out.
    expect(headers).not.toHaveProperty('x-hidden');
  });

  it.each([
    ['a small message as it is', 'x', 0],
    ['a large one compressed', 'x'.repeat(4000), 1],
  ])('sends %s where the upstream wants gzip', async (_what, text, flag) => {
    await open('circuitBreaker: off, compression: gzip');
    expect((await send(text)).status).toBe(200);
    const [{ headers, body }] = asked as [Asked];
    expect([headers['grpc-encoding'], body[0], body.readUInt32BE(1)]).toEqual([
      'gzip',
      flag,
      body.length - 5,
    ]);
    const sent = flag === 1 ? gunzipSync(body.subarray(5)) : body.subarray(5);
    expect(sent).toEqual(message(text));
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('reads an answer that is compressed with %s', async (encoding, compress) => {
    behave = (stream) => {
      const body = framed(compress(message('y')));
      body[0] = 1;
      answer(stream, body, { head: { 'grpc-encoding': encoding } });
    };
    await open();
    expect((await send()).json()).toEqual({ stringValue: 'y' });
  });

  const violation = create(BadRequestSchema, {
    fieldViolations: [{ field: 'string_value', description: 'expected a name' }],
  });
  const DETAILS = Buffer.from(
    toBinary(
      StatusSchema,
      create(StatusSchema, {
        code: 3,
        details: [
          create(AnySchema, {
            typeUrl: 'type.googleapis.com/google.rpc.BadRequest',
            value: toBinary(BadRequestSchema, violation),
          }),
        ],
      }),
    ),
  ).toString('base64');
  const REFUSED = { 'grpc-status': '3', 'grpc-message': 'secret', 'grpc-status-details-bin': DETAILS };

  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['its trailers', (stream) => answer(stream, undefined, { trailers: REFUSED })],
    ['its head alone', (stream) => stream.respond({ ...HEAD, ...REFUSED }, { endStream: true })],
    // Some libraries leave the padding out.
    ['trailers without padding', (stream) => answer(stream, undefined, { trailers: { ...REFUSED, 'grpc-status-details-bin': DETAILS.replace(/=+$/, '') } })],
  ])('tells the typed details of a status in %s', async (_where, refuse) => {
    behave = refuse;
    await open();
    const answered = await send();
    expect([answered.status, answered.json()]).toMatchObject([
      400,
      { code: 'request-invalid', errors: [{ pointer: '/stringValue', message: 'expected a name' }] },
    ]);
    expect(answered.text).not.toContain('secret');
  }); // prettier-ignore

  it.each<[string, number, string, (stream: ServerHttp2Stream) => void]>([
    ['without a message', 502, 'upstream-response-invalid', (stream) => answer(stream, undefined)],
    ['that cannot be read', 502, 'upstream-response-invalid', (stream) => answer(stream, framed(Buffer.from([STRING_VALUE, 9])))],
    ['above the limit', 502, 'upstream-response-invalid', (stream) => answer(stream, framed(Buffer.alloc(4 * 2 ** 20 + 1)))],
    ['that is reset', 502, 'upstream-rejected', (stream) => stream.close(2)],
    ['of no gRPC', 502, 'upstream-unreachable', (stream) => { stream.respond({ ':status': 503 }); stream.end('<h1>'); }],
  ])('refuses an answer %s', async (_what, status, code, misbehave) => {
    behave = misbehave;
    await open();
    const answered = await send();
    expect([answered.status, answered.json()['code']]).toEqual([status, code]);
  }); // prettier-ignore

  it('takes an answer of exactly the limit', async () => {
    const rest = 4 * 2 ** 20 - 5;
    const size = [
      (rest & 0x7f) | 0x80,
      ((rest >> 7) & 0x7f) | 0x80,
      ((rest >> 14) & 0x7f) | 0x80,
      rest >> 21,
    ];
    const whole = Buffer.concat([Buffer.from([STRING_VALUE, ...size]), Buffer.alloc(rest, 'z')]);
    behave = (stream) => answer(stream, framed(whole));
    await open();
    expect((await send()).json()['stringValue']).toHaveLength(rest);
  });

  it('tells the service when the client leaves', async () => {
    let reset: Promise<unknown[]> | undefined;
    behave = (stream) => (reset = once(stream, 'close').then(() => [stream.rstCode]));
    await open();
    const leaving = new AbortController();
    const sent = fetch(`${gateway.url}/test/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      signal: leaving.signal,
    }).catch((error: Error) => error.name);
    while (reset === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort();
    expect(await sent).toBe('AbortError');
    expect(await reset).toEqual([8]);
  });

  it('is answered 504 when the time is up, and the service is told', async () => {
    let reset: Promise<unknown[]> | undefined;
    behave = (stream) => (reset = once(stream, 'close').then(() => [stream.rstCode]));
    await open('circuitBreaker: off, timeouts: { firstByte: 50ms }');
    const answered = await send();
    expect([answered.status, answered.json()['code']]).toEqual([504, 'upstream-timeout']);
    expect(await reset).toEqual([8]);
  });
});
