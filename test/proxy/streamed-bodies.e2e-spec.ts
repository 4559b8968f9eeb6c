import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { startGateway, type TestGateway } from '../support/gateway.ts';

/** What the target has heard, byte by byte, and what it answers. */
let heard: string;
let answers: (socket: Socket, text: string) => void;
let server: Server;
let gateway: TestGateway;

beforeAll(async () => {
  server = createServer((socket) => {
    let text = '';
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        heard += bytes.toString('latin1');
        answers(socket, text);
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public, deadline: 10s } }
upstreams:
  it: { targets: ['${target}'], retry: { attempts: 1 }, circuitBreaker: off }
  large: { targets: ['${target}'], retry: { attempts: 1 }, circuitBreaker: off, maxResponseHead: 128KiB }
routes:
  - { id: it, match: { path: '/it/*' }, upstream: it }
  - { id: large, match: { path: '/large/*' }, upstream: large }
  - id: edited
    match: { path: '/edited/*' }
    upstream: it
    policies: { transform: { request: { setHeaders: { x-sum: ours } }, response: { removeHeaders: [x-secret] } } }
`,
  });
});
afterAll(async () => {
  await gateway.stop();
  server.close();
});
beforeEach(() => {
  heard = '';
  answers = (socket, text) => {
    if (isWhole(text)) socket.end(OK);
  };
});

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok';
const LARGE = 100_000;

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n') + 4;
  if (end < 4) return false;
  const head = text.slice(0, end);
  if (/transfer-encoding: chunked/.test(head)) return /\r\n0\r\n(?:[^\r]+\r\n)*\r\n$/.test(text);
  return text.length - end >= Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
}

async function send(
  path: string,
  pieces: readonly string[],
  headers: OutgoingHttpHeaders,
  trailers?: Record<string, string>,
): Promise<IncomingMessage> {
  const asking = request(gateway.url + path, { method: 'PUT', headers, agent: false });
  const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
  for (const piece of pieces) {
    asking.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (trailers !== undefined) asking.addTrailers(trailers);
  asking.end();
  const [response] = await answered;
  await response.toArray();
  return response;
}

describe('a request body', () => {
  it.each([
    ['small, of a declared length', ['abc', 'def'], 6],
    ['large, of a declared length', ['a'.repeat(70_000), 'b'.repeat(LARGE - 70_000)], LARGE],
  ])('that is %s keeps its length, once', async (_, pieces, length) => {
    expect((await send('/it/x', pieces, { 'content-length': length })).statusCode).toBe(200);
    expect(heard.match(/content-length: \d+/gi)).toEqual([`content-length: ${length}`]);
    expect(heard).not.toMatch(/transfer-encoding/i);
    expect(heard.slice(heard.indexOf('\r\n\r\n') + 4)).toBe(pieces.join(''));
  });

  it('that is small and comes in chunks has a length, because it is held as a whole', async () => {
    await send('/it/x', ['abc', 'def'], { 'transfer-encoding': 'chunked' });
    expect(heard).toContain('content-length: 6\r\n');
    expect(heard.endsWith('\r\n\r\nabcdef')).toBe(true);
  });

  it('that is large and comes in chunks goes on in chunks', async () => {
    await send('/it/x', ['a'.repeat(70_000), 'b'.repeat(30_000)], { 'transfer-encoding': 'chunked' });
    expect(heard).toContain('transfer-encoding: chunked\r\n');
    expect(heard).not.toMatch(/content-length/i);
    const body = heard.slice(heard.indexOf('\r\n\r\n') + 4);
    expect(body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, '').replace(/\r\n$/, '')).toBe(
      'a'.repeat(70_000) + 'b'.repeat(30_000),
    );
  });

  it.each([
    ['small', ['abc']],
    ['large', ['a'.repeat(70_000), 'b']],
  ])('that is %s hands on its trailers, but none that says what only a header may', async (_, pieces) => {
    const trailers = {
      'X-Sum': '1',
      'x-user-id': 'admin',
      authorization: 'Bearer x',

      host: 'evil',
    };
    await send('/it/x', pieces, { trailer: 'X-Sum' }, trailers);
    expect(heard.slice(heard.lastIndexOf('\r\n0\r\n'))).toBe('\r\n0\r\nX-Sum: 1\r\n\r\n');
  });

  it('hands on no trailer that the route says itself', async () => {
    await send('/edited/x', ['abc'], { trailer: 'X-Sum' }, { 'X-Sum': 'theirs' });
    expect(heard).toContain('x-sum: ours');
    expect(heard).not.toContain('theirs');
  });

  it('that an early answer makes useless ends at the target, and the answer arrives', async () => {
    answers = (socket) => {
      if (socket.bytesRead > 1000) socket.write('HTTP/1.1 413 No\r\ncontent-length: 3\r\n\r\nbig');
    };
    const asking = request(`${gateway.url}/it/x`, { method: 'PUT', agent: false });
    asking.on('error', () => undefined);
    asking.write('a'.repeat(70_000));
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    expect([response.statusCode, String(await response.toArray())]).toEqual([413, 'big']);
    asking.destroy();
  });
});

describe('an answer', () => {
  it('hands on its trailers, and says their names', async () => {
    answers = (socket) =>
      void socket.end(
        'HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nset-cookie: a=b\r\n\r\n',
      );
    const response = await send('/it/x', [], {});
    expect(response.headers.trailer).toBe('x-sum');
    expect(response.rawTrailers).toEqual(['X-Sum', '7']);
  });

  it('hands on no trailers where the route edits its header', async () => {
    answers = (socket) =>
      void socket.end(
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-secret: 7\r\n\r\n',
      );
    expect((await send('/edited/x', [], {})).rawTrailers).toEqual([]);
  });

  it('keeps the spelling and the order of its fields, and those of one name apart', async () => {
    answers = (socket) =>
      void socket.end(
        'HTTP/1.1 200 OK\r\nX-One: a\r\nSet-Cookie: a=1\r\nx-ONE: b\r\nSet-Cookie: b=2\r\ncontent-length: 2\r\n\r\nok',
      );
    const { rawHeaders } = await send('/it/x', [], {});
    expect(rawHeaders.slice(0, 8)).toEqual([
      'X-One',
      'a',
      'Set-Cookie',
      'a=1',
      'x-ONE',
      'b',
      'Set-Cookie',
      'b=2',
    ]);
  });

  it.each(['/it/x', '/edited/x'])('says its length and its date once: %s', async (path) => {
    answers = (socket) => void socket.end('HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 2\r\n\r\nok');
    const { rawHeaders } = await send(path, [], {});
    const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    expect(
      names.filter((name) => ['date', 'content-length', 'x-request-id', 'connection'].includes(name)).sort(),
    ).toEqual(['connection', 'content-length', 'date', 'x-request-id']);
  });

  it('without a body says no length', async () => {
    answers = (socket) => void socket.end('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n');
    const { statusCode, headers } = await send('/it/x', [], {});
    expect([statusCode, headers['content-length'], headers['transfer-encoding']]).toEqual([
      204,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['/it/x', 32_000, 200],
    ['/it/x', 33_000, 502],
    ['/large/x', 120_000, 200],
  ])('at %s may have a head of %d bytes: %d', async (path, bytes, status) => {
    answers = (socket) =>
      void socket.end(`HTTP/1.1 200 OK\r\nx: ${'v'.repeat(bytes)}\r\ncontent-length: 0\r\n\r\n`);
    const asking = request(gateway.url + path, { agent: false, maxHeaderSize: 200_000 }).end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    expect(response.resume().statusCode).toBe(status);
  });

  it('comes after early hints, of which the links are handed on to HTTP/1.1 alone', async () => {
    answers = (socket, text) => {
      if (isWhole(text))
        socket.end(
          `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nx-secret: 1\r\n\r\n${OK}`,
        );
    };
    const said = async (version: string): Promise<string> => {
      const client = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      client.write(`GET /it/x HTTP/${version}\r\nhost: a\r\nconnection: close\r\n\r\n`);
      return Buffer.concat((await client.toArray()) as Buffer[]).toString('latin1');
    };
    const modern = await said('1.1');
    expect(modern).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    expect(modern).not.toContain('x-secret');
    expect(await said('1.0')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});
