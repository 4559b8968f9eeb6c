import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { boundConnections } from './connection-bounds.ts';

const BOUNDS = { connections: 5, ofAnAddress: 3, headMs: 20, requestMs: 40 };
const sockets: Socket[] = [];
let server: Server;

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

async function listen(bounds = BOUNDS): Promise<void> {
  server = createServer({ connectionsCheckingInterval: 10 }, (request, response) => {
    request.resume().on('end', () => response.end());
  });
  boundConnections(server, bounds);
  await once(server.listen(0, '127.0.0.1'), 'listening');
}

function open(localAddress: string, text = ''): Socket {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  sockets.push(socket);
  socket.write(text);
  return socket;
}

const isServed = async (socket: Socket): Promise<boolean> => {
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  return (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])).length === 1 && !socket.destroyed; // prettier-ignore
};

describe('strangers', () => {
  it('hold so many connections of an address, and so many at all', async () => {
    await listen({ ...BOUNDS, headMs: 60_000, requestMs: 60_000 });
    for (const address of ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.2'])
      expect(await isServed(open(address))).toBe(true);
    expect(await isServed(open('127.0.0.3'))).toBe(false);
    sockets[4]?.destroy();
    await once(sockets[4] as Socket, 'close');
    expect(await isServed(open('127.0.0.1'))).toBe(false);
    expect(await isServed(open('127.0.0.2'))).toBe(true);
  });

  it.each([
    ['that says nothing', ''],
    ['whose head does not end', 'GET / HTTP/1.1\r\nhost: a\r\n'],
    ['whose body does not come', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1'],
  ])('hold none for long %s', async (_what, text) => {
    await listen();
    const socket = open('127.0.0.1', text).resume();
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });
});
