import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { MergedRequest } from './merged-request.ts';

const server = createServer({ IncomingMessage: MergedRequest });
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close().closeAllConnections());

/** A request that has arrived as far as its head, and its client. */
async function arrived(more: string): Promise<{ request: IncomingMessage; client: Socket }> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' + more);
  const [request] = (await once(server, 'request')) as [IncomingMessage];
  return { request, client };
}

/** The sizes of the pieces, and the whole. */
async function piecesOf(request: IncomingMessage): Promise<{ sizes: number[]; text: string }> {
  const sizes: number[] = [];
  let text = '';
  for await (const piece of request.on('data', ({ length }: Buffer) => sizes.push(length)))
    text += String(piece);
  return { sizes, text };
}

describe('a body in chunks of one byte', () => {
  it('waits unread in pieces of a size, whole and in order', async () => {
    const digits = Array.from({ length: 40_000 }, (_, i) => String(i % 10));
    const { request, client } = await arrived(
      digits.map((digit) => `1\r\n${digit}\r\n`).join('') + '0\r\n\r\n',
    );
    while (!request.complete) await new Promise(setImmediate);
    const { sizes, text } = await piecesOf(request);
    expect(text).toBe(digits.join(''));
    // One for each read of the socket, and not for each chunk.
    expect(sizes.length).toBeLessThan(400);
    client.destroy();
  });

  it('holds its client back when enough of it waits', async () => {
    const { request, client } = await arrived('');
    const chunks = Buffer.from('1\r\nx\r\n'.repeat(10_000));
    for (let i = 0; i < 400; i += 1) client.write(chunks);
    while (!request.socket.isPaused()) await new Promise(setImmediate);
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
    expect(request.readableLength).toBeLessThan(128 * 1024);
    expect(client.writableLength).toBeGreaterThan(0);
    client.destroy();
  });
});

describe('a chunk', () => {
  it.each([1, 5000])('of %d bytes is handed on when no other follows', async (length) => {
    const chunk = `${length.toString(16)}\r\n${'x'.repeat(length)}\r\n`;
    const { request, client } = await arrived(chunk);
    let heard = '';
    request.on('data', (piece: Buffer) => (heard += String(piece)));
    while (heard.length < length) await new Promise(setImmediate);
    expect(heard).toBe('x'.repeat(length));
    client.destroy();
  });

  it('that is large stays behind the small one before it', async () => {
    const { request, client } = await arrived(`1\r\na\r\n1388\r\n${'b'.repeat(5000)}\r\n1\r\nc\r\n0\r\n\r\n`);
    expect((await piecesOf(request)).text).toBe(`a${'b'.repeat(5000)}c`);
    client.destroy();
  });
});
