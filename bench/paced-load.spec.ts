import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lengthOf, PacedClient } from './paced-load.ts';

describe('a load at a fixed rate', () => {
  const closing: (() => void)[] = [];

  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function served(
    listener: RequestListener,
  ): Promise<{ client: PacedClient; origin: string; server: Server }> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new PacedClient(origin);
    closing.push(
      () => client.close(),
      () => server.close(),
    );
    return { client, origin, server };
  }

  const order = { path: '/a', perSecond: 500, seconds: 0.2, connections: 4 };

  it('has made as many requests as were ordered, over as many connections, which stay', async () => {
    let asked = 0;
    const { client, origin, server } = await served(({ url }, response) => {
      asked += url === '/a' ? 1 : 0;
      response.end('{"a":1}');
    });
    let connections = 0;
    server.on('connection', () => (connections += 1));
    for (const round of [1, 2]) {
      expect(await client.run({ ...order, origin })).toMatchObject({ requests: 100, failures: 0 });
      expect(asked).toBe(100 * round);
    }
    expect(connections).toBe(4);
  });

  it('counts answers that are not 200', async () => {
    const { client, origin } = await served((_request, response) => {
      response.statusCode = 503;
      response.end('no');
    });
    expect(await client.run({ ...order, origin })).toMatchObject({ requests: 100, failures: 100 });
  });

  it('counts connections that break, and goes on over others', async () => {
    let asked = 0;
    const { client, origin } = await served((request, response) => {
      asked += 1;
      if (asked === 3) request.socket.destroy();
      else response.end('yes');
    });
    expect(await client.run({ ...order, origin })).toMatchObject({ requests: 100, failures: 1 });
  });

  it('asks what was due while all connections were waiting, late', async () => {
    const { client, origin } = await served(
      (_request, response) => void setTimeout(() => response.end('slow'), 60),
    );
    const outcome = await client.run({ ...order, seconds: 0.1, connections: 1, perSecond: 60, origin });
    expect(outcome).toMatchObject({ requests: 6, failures: 0 });
    expect(outcome.late).toBeGreaterThan(0);
  });

  it('does not begin where nobody listens', async () => {
    await expect(new PacedClient('http://127.0.0.1:1').run({ ...order, origin: '' })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});

it.each([
  ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 40],
  ['HTTP/1.1 200 OK\r\ndate: x\r\ncontent-length:12\r\n\r\nabc', 59],
  ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n', undefined],
])('%j has a length of %d', (text, length) => {
  expect(lengthOf(text)).toBe(length);
});
