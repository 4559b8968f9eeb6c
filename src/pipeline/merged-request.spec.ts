import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { MergedRequest } from './merged-request.ts';

const EAGER_CLIENT = `
  const client = require('node:net').connect(require('node:worker_threads').workerData, '127.0.0.1');
  client.on('error', () => {});
  client.write('POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n');
  client.write('1\\r\\nx\\r\\n'.repeat(4_000_000));
`;

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

  it('holds its client back when enough of it waits, many reads of one turn as well', async () => {
    const { port } = server.address() as AddressInfo;
    const client = new Worker(EAGER_CLIENT, { eval: true, workerData: port });
    const [request] = (await once(server, 'request')) as [IncomingMessage];
    // Meanwhile the system takes as much of it as it ever does.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    while (!request.socket.isPaused()) await new Promise(setImmediate);
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
    expect(request.readableLength).toBeLessThan(128 * 1024);
    await client.terminate();
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
