import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { heldToLength } from './promised-length.ts';

const TEN = '0123456789';
const server = Fastify({ forceCloseConnections: true });

// One by one, so that the head is out before anybody knows how many there are.
async function* tens(count: number): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < count; sent += 1) {
    yield Buffer.from(TEN);
    await new Promise(setImmediate);
  }
}

beforeAll(async () => {
  server.addHook('onSend', async (_request, reply, payload) => heldToLength(reply, payload));
  server.get<{ Params: { kind: string; sent: string } }>('/:kind/:sent', ({ params }, reply) => {
    void reply.header('content-length', '20');
    const source = Readable.from(tens(Number(params.sent)));
    return reply.send(params.kind === 'web' ? Readable.toWeb(source) : source);
  });
  server.get('/unsaid', (_request, reply) => reply.send(Readable.from([TEN])));
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => server.close());

/** All that comes over a connection until the gateway ends it. */
async function received(path: string, method = 'GET', more = ''): Promise<string> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`);
  return text(socket).catch(() => '(reset)');
}

describe('a stream with a Content-Length', () => {
  it.each(['node', 'web'])('of %s passes where it keeps it', async (kind) => {
    const answer = await received(`/${kind}/2`, 'GET', 'Connection: close\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.split('\r\n\r\n')[1]).toBe(TEN + TEN);
  });

  // The connection would be kept: that it ends at all is what the client needs.
  it.each(['node', 'web'])('of %s is cut where it ends early', async (kind) => {
    const answer = await received(`/${kind}/1`);
    expect(answer).not.toContain(TEN + TEN);
  });

  it('is an error where nothing of it comes', async () => {
    expect(await received('/node/0', 'GET', 'Connection: close\r\n')).toMatch(/^HTTP\/1\.1 500 /);
  });

  it.each(['node', 'web'])('of %s is cut before what is too much', async (kind) => {
    const answer = await received(`/${kind}/3`);
    expect(answer).not.toContain(TEN + TEN + TEN);
  });

  it('is not read for a HEAD, and without a length it is as long as it is', async () => {
    const head = await received('/node/1', 'HEAD', 'Connection: close\r\n');
    expect(head).toMatch(/content-length: 20\r\n/);
    expect(await received('/unsaid', 'GET', 'Connection: close\r\n')).toContain(TEN);
  });
});
