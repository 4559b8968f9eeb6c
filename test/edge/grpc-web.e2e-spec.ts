import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { framed } from '../../src/upstreams/grpc/unary-wire.ts';
import type { TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { encoded, metadataOf, PASS_KEY, startPassing } from '../support/pass-gateway.ts';

/** An answer as a browser reads it: messages, and what came in the frame of trailers. */
interface WebAnswer {
  readonly http: number;
  readonly headers: Headers;
  readonly messages: readonly Buffer[];
  readonly trailers: Readonly<Record<string, string>> | undefined;
}

let service: KindsServer;
let gateway: TestGateway;

beforeAll(async () => {
  service = await new KindsServer().start();
  gateway = await startPassing({
    targets: [service.url],
    upstream: 'circuitBreaker: off',
    routes: `
  - { id: closed, match: { path: /closed/* }, upstream: kinds, passGrpc: { stripPrefix: /closed, maxMessage: 1KiB }, policies: { authentication: { schemes: [apiKey] } } }
  - { id: brief, match: { path: /brief/* }, upstream: kinds, passGrpc: { stripPrefix: /brief }, policies: { authentication: public, deadline: 300ms } }
  - { id: plain, match: { path: /plain/* }, upstream: kinds, passGrpc: { stripPrefix: /plain, web: false }, policies: { authentication: public } }`,
  });
});

beforeEach(() => service.reset());

afterAll(async () => {
  await gateway.stop();
  service.stop();
});

const PREFIX = 5;
const ECHO = '/test.v1.Kinds/Echo';
const COUNT = '/test.v1.Kinds/Count';

function framesOf(body: Buffer): Pick<WebAnswer, 'messages' | 'trailers'> {
  const messages: Buffer[] = [];
  let trailers: Record<string, string> | undefined;
  for (let at = 0; at < body.length;) {
    // Nothing comes after the trailers.
    expect(trailers).toBeUndefined();
    const end = at + PREFIX + body.readUInt32BE(at + 1);
    const content = body.subarray(at + PREFIX, end);
    expect(end).toBeLessThanOrEqual(body.length);
    if (body[at] === 0x80)
      trailers = Object.fromEntries(
        content
          .toString('latin1')
          .trim()
          .split('\r\n')
          .map((line) => line.split(/: ?(.*)/).slice(0, 2)),
      );
    else messages.push(content);
    at = end;
  }
  return { messages, trailers };
}

/** Base64 of pieces that are padded each, as one text. */
function unpadded(text: string): Buffer {
  return Buffer.concat((text.match(/[^=]+={0,2}/g) ?? []).map((part) => Buffer.from(part, 'base64')));
}

async function ask(
  path: string,
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebAnswer> {
  const type = typeof body === 'string' ? 'application/grpc-web-text' : 'application/grpc-web+proto';
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': type, 'x-grpc-web': '1', ...headers },
    body: body as BodyInit,
  });
  const said = response.headers.get('content-type') ?? '';
  const bytes = Buffer.from(await response.arrayBuffer());
  const read = said.includes('-text') ? unpadded(bytes.toString('latin1')) : bytes;
  return { http: response.status, headers: response.headers, ...framesOf(read) };
}

describe('gRPC-Web over HTTP/1.1', () => {
  it('one message each way, with metadata, and trailers as a frame of the body', async () => {
    service.header = metadataOf({ 'x-first': 'a' });
    service.trailer = metadataOf({ 'x-last-bin': Buffer.from([1, 254]) });
    const got = await ask(ECHO, framed(Buffer.from('hello')), { 'x-mine': 'c', 'grpc-timeout': '20S' });
    expect(got).toMatchObject({
      http: 200,
      messages: [Buffer.from('hello')],
      trailers: { 'grpc-status': '0', 'x-last-bin': 'Af4=' },
    });
    expect(got.headers.get('content-type')).toBe('application/grpc-web+proto');
    expect(got.headers.get('x-first')).toBe('a');
    expect(service.lastMetadata?.get('x-mine')).toEqual(['c']);
    expect(service.lastMetadata?.get('x-grpc-web')).toEqual([]);
    expect(service.remainingMs).toBeLessThanOrEqual(20_000);
  });

  it('the same as base64, also in several padded pieces', async () => {
    const frame = framed(Buffer.from('hello'));
    const pieces = [frame.subarray(0, 1), frame.subarray(1, 6), frame.subarray(6)].map((one) =>
      one.toString('base64'),
    );
    expect(pieces.join('')).toMatch(/=.*=[^=]/);
    for (const body of [frame.toString('base64'), pieces.join('')]) {
      const got = await ask(ECHO, body);
      expect(got.headers.get('content-type')).toBe('application/grpc-web-text');
      expect(got).toMatchObject({ messages: [Buffer.from('hello')], trailers: { 'grpc-status': '0' } });
    }
  });

  it('answers in the form that `Accept` names', async () => {
    const got = await ask(ECHO, framed(Buffer.from('hello')), { accept: 'application/grpc-web-text+proto' });
    expect(got.headers.get('content-type')).toBe('application/grpc-web-text+proto');
    expect(got).toMatchObject({ messages: [Buffer.from('hello')], trailers: { 'grpc-status': '0' } });
  });

  it.each(['binary', 'text'])('a stream of answers as %s, each as soon as it is there', async (form) => {
    let free: () => void = () => {};
    service.hold = new Promise((resolve) => (free = resolve));
    const frame = framed(encoded('CountRequest', { to: 3 }));
    const response = await fetch(gateway.url + COUNT, {
      method: 'POST',
      headers: { 'content-type': form === 'text' ? 'application/grpc-web-text' : 'application/grpc-web' },
      body: form === 'text' ? frame.toString('base64') : new Uint8Array(frame),
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = Buffer.from((await reader.read()).value as Uint8Array);
    const read = (bytes: Buffer): Buffer => (form === 'text' ? unpadded(bytes.toString()) : bytes);
    expect(framesOf(read(first)).messages).toHaveLength(1);
    free();
    const rest: Buffer[] = [first];
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest.push(Buffer.from(part.value));
    expect(framesOf(read(Buffer.concat(rest)))).toMatchObject({ trailers: { 'grpc-status': '0' } });
  });

  it('a status without a message is in the frame of trailers, which browsers can read without a grant', async () => {
    service.refusal = { code: status.NOT_FOUND, details: 'no such thing – ü' };
    const got = await ask(ECHO, framed(Buffer.from('x')));
    expect(got).toMatchObject({
      http: 200,
      messages: [],
      trailers: { 'grpc-status': '5', 'grpc-message': 'no%20such%20thing%20%E2%80%93%20%C3%BC' },
    });
  });

  it('a deadline that passes within the answer ends it with a status', async () => {
    service.hold = new Promise(() => {});
    const got = await ask(`/brief${COUNT}`, framed(encoded('CountRequest', { to: 3 })));
    expect(got.messages).toHaveLength(1);
    expect(got.trailers).toMatchObject({ 'grpc-status': '4' });
  });

  const big = framed(Buffer.alloc(1025));
  const good = framed(Buffer.from('x'));
  it.each([
    ['no credential', `/closed${ECHO}`, good, {}, '16'],
    ['a message that is too large', `/closed${ECHO}`, big, { 'x-api-key': PASS_KEY }, '8'],
    ['half a message', ECHO, good.subarray(0, 3), {}, '3'],
    ['no base64', ECHO, 'AAAA****', {}, '3'],
    ['half a group', ECHO, good.toString('base64').slice(0, 6), {}, '3'],
    ['text after padding', ECHO, 'AA=A', {}, '3'],
    ['a coded body', ECHO, good, { 'content-encoding': 'gzip' }, '3'],
    ['gRPC over HTTP/1.1', ECHO, good, { 'content-type': 'application/grpc' }, '3'],
    ['where browsers may not call', `/plain${ECHO}`, good, {}, '3'],
    ['no route', '/nobody/Echo', good, {}, '12'],
  ])('is refused in its own words: %s', async (_what, path, body, headers, code) => {
    const got = await ask(path, body, headers);
    expect(got.http).toBe(200);
    expect(got.headers.get('grpc-status')).toBe(code);
    expect(got.headers.get('grpc-message')).toMatch(/^[ -$&-~]+$/);
    expect(got.headers.get('content-type')).toMatch(/^application\/grpc/);
    expect(got.messages).toEqual([]);
    expect(service.lastBytes).toBeUndefined();
  });

  it('who does not call hears a problem as everybody', async () => {
    const response = await fetch(gateway.url + ECHO, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'media-type-unsupported' });
    const got = await fetch(gateway.url + ECHO);
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('POST');
  });
});

describe('gRPC-Web over HTTP/2', () => {
  it('is the same', async () => {
    const session = connect(gateway.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': ECHO,
      'content-type': 'application/grpc-web',
    });
    stream.end(framed(Buffer.from('hello')));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    await once(stream, 'end');
    expect(head).toMatchObject({ ':status': 200, 'content-type': 'application/grpc-web' });
    expect(framesOf(Buffer.concat(chunks))).toMatchObject({
      messages: [Buffer.from('hello')],
      trailers: { 'grpc-status': '0' },
    });
    session.close();
  });
});
