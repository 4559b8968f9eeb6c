import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import {
  createServer,
  request as http1,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { startGateway, type TestGateway } from '../support/gateway.ts';

/** An answer that is read as it comes. */
interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The next piece of the body; undefined at its end. */
  next(): Promise<string | undefined>;
  /** The rest of the body. */
  rest(): Promise<string>;
  trailers(): Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
}

const EVENTS = ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'];
const FILE = 'abcdefghijklmnopqrstuvwxyz';
const PARTS =
  '--x\r\ncontent-range: bytes 0-1/26\r\n\r\nab\r\n--x\r\ncontent-range: bytes 3-4/26\r\n\r\nde\r\n--x--\r\n';

let service: Server;
let gateway: TestGateway;
let session: ClientHttp2Session | undefined;
/** Has the service say its next event. */
let speak: () => void = () => {};
let lastRequest: IncomingMessage;

const paths: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/events': (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const left = [...EVENTS];
    speak = () => {
      const event = left.shift();
      if (event === undefined) response.end();
      else response.write(event);
    };
  },
  '/file': ({ headers: { range, 'if-range': condition } }, response) => {
    const isWhole = range === undefined || (condition !== undefined && condition !== '"v1"');
    response.setHeader('accept-ranges', 'bytes').setHeader('etag', '"v1"');
    if (isWhole) return void response.writeHead(200, { 'content-length': FILE.length }).end(FILE);
    if (range.includes(','))
      return void response.writeHead(206, { 'content-type': 'multipart/byteranges; boundary=x' }).end(PARTS);
    response.writeHead(206, { 'content-range': 'bytes 2-5/26', 'content-length': 4 }).end(FILE.slice(2, 6));
  },
  '/trailers': (request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { trailer: 'x-sum, x-heard' });
      response.write('body');
      response.addTrailers({ 'x-sum': '42', 'x-heard': String(request.trailers['x-mine']) });
      response.end();
    });
  },
  '/odd-trailers': (_request, response) => {
    response.writeHead(200, { trailer: 'x-a' });
    response.write('body');
    response.addTrailers([['x-last-modified', 'b'], ['x-content-type-options', 'c'], ['X-Content-Type-Options', 'd'], ['tk', 'e'], ['tk', 'f']]);
    response.end();
  },
}; // prettier-ignore

paths['/odd-head'] = (_request, response) => {
  response.writeHead(200, [
    'age',
    '1',
    'age',
    '2',
    'etag',
    '"a"',
    'etag',
    '"b"',
    'x-two',
    'c',
    'x-two',
    'd',
    'set-cookie',
    'e=1',
    'set-cookie',
    'f=2',
  ]);
  response.end('body');
};

beforeAll(async () => {
  service = createServer((request, response) => {
    lastRequest = request;
    paths[new URL(request.url ?? '/', 'http://x').pathname]?.(request, response);
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  gateway = await startGateway({
    config: `
version: 1
listeners: [{ port: 0, http2: true }]
upstreams: { files: { targets: ['http://127.0.0.1:${(service.address() as AddressInfo).port}'] } }
routes:
  - { id: all, match: { path: /* }, upstream: files, policies: { authentication: public } }
`,
  });
});

afterAll(async () => {
  session?.close();
  await gateway.stop();
  service.close();
});

function reading(
  status: number,
  headers: IncomingHttpHeaders,
  body: NodeJS.ReadableStream,
  trailers: () => object,
): Heard {
  const pieces = body[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const { done, value } = await pieces.next();
    return done === true ? undefined : String(value);
  };
  const rest = async (): Promise<string> => {
    let text = '';
    for (let piece = await next(); piece !== undefined; piece = await next()) text += piece;
    return text;
  };
  return { status, headers, next, rest, trailers: () => trailers() as Record<string, unknown> };
}

async function overHttp1({ method = 'GET', path, headers, body, trailers }: Asked): Promise<Heard> {
  const sent = http1(gateway.url + path, {
    method,
    headers: { ...headers, ...(trailers && { trailer: Object.keys(trailers).join() }) },
    agent: false,
  });
  if (body !== undefined) sent.write(body);
  if (trailers !== undefined) sent.addTrailers(trailers);
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return reading(response.statusCode ?? 0, response.headers, response, () => response.trailers);
}

async function overHttp2({ method = 'GET', path, headers, body, trailers }: Asked): Promise<Heard> {
  session ??= connect(gateway.url);
  const stream = session.request(
    { ':method': method, ':path': path, ...headers },
    { endStream: body === undefined, waitForTrailers: trailers !== undefined },
  );
  if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  if (body !== undefined) stream.end(body);
  let last: object = {};
  stream.on('trailers', (fields: object) => (last = fields));
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }];
  return reading(head[':status'], head, stream, () => last);
}

describe.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
])('over %s', (_version, ask) => {
  it.each(['identity', 'gzip, br'])('each event of a stream arrives at once, for %s', async (coding) => {
    const got = await ask({
      path: '/events',
      headers: { accept: 'text/event-stream', 'accept-encoding': coding },
    });
    expect(got.headers['content-encoding']).toBeUndefined();
    for (const event of EVENTS) {
      speak();
      // The next one is not said before this one was heard.
      expect(await got.next()).toBe(event);
    }
    speak();
    expect(await got.next()).toBeUndefined();
  });

  it('a range is a part, as long as the condition holds', async () => {
    const part = await ask({ path: '/file', headers: { range: 'bytes=2-5' } });
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-range': 'bytes 2-5/26', 'content-length': '4', etag: '"v1"' },
    });
    expect(await part.rest()).toBe('cdef');
    const same = await ask({ path: '/file', headers: { range: 'bytes=2-5', 'if-range': '"v1"' } });
    expect([same.status, await same.rest()]).toEqual([206, 'cdef']);
    const other = await ask({ path: '/file', headers: { range: 'bytes=2-5', 'if-range': '"v0"' } });
    expect([other.status, await other.rest()]).toEqual([200, FILE]);
  });

  it('several ranges come untouched', async () => {
    const got = await ask({ path: '/file', headers: { range: 'bytes=0-1,3-4' } });
    expect(got).toMatchObject({
      status: 206,
      headers: { 'content-type': 'multipart/byteranges; boundary=x' },
    });
    expect(await got.rest()).toBe(PARTS);
  });

  it('HEAD says what GET would, without a body', async () => {
    const got = await ask({ method: 'HEAD', path: '/file' });
    expect(got).toMatchObject({
      status: 200,
      headers: { 'content-length': '26', etag: '"v1"', 'accept-ranges': 'bytes' },
    });
    expect(await got.rest()).toBe('');
    expect(lastRequest.method).toBe('HEAD');
  });

  it('fields after the body travel both ways', async () => {
    const got = await ask({
      method: 'POST',
      path: '/trailers',
      body: 'hello',
      trailers: { 'x-mine': 'a', 'x-user-id': 'forged' },
    });
    expect(await got.rest()).toBe('body');
    expect(got.trailers()).toMatchObject({ 'x-sum': '42', 'x-heard': 'a' });
    expect(lastRequest.trailers['x-user-id']).toBeUndefined();
  });

  it('fields after the body that the protocol does not take twice harm nobody', async () => {
    const got = await ask({ path: '/odd-trailers' });
    expect([got.status, await got.rest()]).toEqual([200, 'body']);
    expect((await ask({ path: '/file' })).status).toBe(200);
  });

  it('neither do those of a head', async () => {
    const got = await ask({ path: '/odd-head' });
    expect([got.status, await got.rest()]).toEqual([200, 'body']);
    expect(got.headers).toMatchObject({ 'x-two': 'c, d', 'set-cookie': ['e=1', 'f=2'] });
  });
});
