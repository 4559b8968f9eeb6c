import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RawClient } from '../support/body-doors.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import { echo } from '../support/upstream.ts';

const kinds = new KindsServer();
beforeAll(() => kinds.start());
afterAll(() => kinds.stop());
const holder = useShop({
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
  }),
  routes: [
    { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
    { id: 'proxied', match: { path: '/proxied' }, upstream: 'echo' },
  ],
});

/** Doors that have sockets, and what they say to a plain GET of the same path. */
const DOORS: readonly [name: string, path: string, plain: number][] = [
  ['GraphQL', '/graphql', 400],
  ['a translated route', '/test/chat/x', 426],
];

const clients: RawClient[] = [];
const faults: unknown[] = [];
const note = (error: unknown): void => void faults.push(error);

beforeAll(() => void process.on('uncaughtException', note));
afterAll(() => void process.off('uncaughtException', note));
afterEach(() => {
  holder.shop.echo.listener = echo;
  for (const { socket } of clients.splice(0)) socket.destroy();
});

function client(text: string): RawClient {
  const one = new RawClient(holder.shop.gateway.url, true);
  clients.push(one);
  one.socket.write(text);
  return one;
}

const get = (path: string, ...more: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', `X-API-Key: ${API_KEY}`, ...more, '', ''].join('\r\n');
const handshake = (path: string, ...more: string[]): string =>
  get(
    path,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    ...more,
  );
const statuses = (heard: string): number[] =>
  Array.from(heard.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status));

/** A text of the client, masked with zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

describe.each(DOORS)('a handshake for %s', (_, path, plain) => {
  it('that follows a request which is not answered yet is a plain request, in its turn', async () => {
    let answer: ServerResponse | undefined;
    const asked = new Promise<void>((resolve) => {
      holder.shop.echo.listener = (request: IncomingMessage, response) => {
        if (answer !== undefined) return echo(request, response);
        answer = response;
        resolve();
      };
    });
    const one = client(get('/proxied') + handshake(path) + get('/proxied'));
    await asked;
    answer?.end('first');
    // The last: Node drops what comes in one piece with it.
    one.socket.once('end', () => one.socket.end());
    await one.closed;
    expect(statuses(one.heard)).toEqual([200, plain]);
    expect(one.heard).toMatch(/^connection: (upgrade, )?close/im);
    expect(faults).toEqual([]);
  });

  it('that follows an answer on the same connection becomes a socket', async () => {
    const one = client(get('/proxied'));
    await one.until((heard) => heard.includes('\r\n\r\n'));
    one.socket.write(handshake(path));
    await one.until((heard) => heard.includes('101 Switching'));
    expect(statuses(one.heard)).toEqual([200, 101]);
  });

  it.each([
    ['a length', 'Content-Length: 5', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ])('that announces a body by %s is a plain request', async (_name, field, body) => {
    const one = client(handshake(path, field));
    await new Promise((resolve) => setTimeout(resolve, 50));
    one.socket.write(body);
    await one.answer();
    one.socket.write(frame('{"type":"connection_init"}'));
    one.socket.end();
    await one.closed;
    expect(statuses(one.heard)[0]).toBe(plain);
    expect(faults).toEqual([]);
  });
});
