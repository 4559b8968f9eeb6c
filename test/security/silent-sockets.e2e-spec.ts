import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '../support/kinds-gateway.ts';
import { ServerSide } from '../support/server-side.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import { open, refused, type SocketClient } from '../support/socket-client.ts';

const SOCKETS = 4;
const UNIDENTIFIED = 6;
const PER_ADDRESS = 5;
const ADDRESSES = ['192.0.2.1', '192.0.2.2'];
const protocols = ['graphql-transport-ws'];
const init = '{"type":"connection_init"}';
const known = { 'x-api-key': API_KEY };

/** From somebody at an address; the test is a proxy that is trusted. */
const at = (address = ADDRESSES[0] as string): Record<string, string> => ({ 'x-forwarded-for': address });
const limits = { sockets: SOCKETS, unidentified: { sockets: UNIDENTIFIED, perAddress: PER_ADDRESS } };
const more = { trustedProxies: ['loopback'], graphql: { subscriptions: limits } };

describe('clients that never say who they are', () => {
  const holder = useShop({ more });
  const clients: SocketClient[] = [];
  let side: ServerSide;
  beforeEach(() => void (side = new ServerSide(holder.shop.gateway)));
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.terminate();
    side.close();
    await side.untilAtMost(0);
  });

  const opening = (headers: Record<string, string>) => ({ url: holder.shop.gateway.url, protocols, headers });
  const join = async (headers: Record<string, string>): Promise<SocketClient> => {
    const client = await open('/graphql', opening(headers));
    clients.push(client);
    return client;
  };
  const identify = async (client: SocketClient): Promise<void> => {
    client.socket.send(JSON.stringify({ type: 'connection_init', payload: known }));
    await until(() => client.messages.length === 1);
  };

  it('take no place of those who do, up to the bound of each', async () => {
    for (let i = 0; i < PER_ADDRESS; i += 1) await join(at());
    expect(await refused('/graphql', opening(at()))).toMatchObject({ status: 429, code: 'rate-limited' });
    // Somebody else has the last of their places; who says it with the handshake needs none of them.
    await join(at(ADDRESSES[1]));
    expect(await refused('/graphql', opening(at(ADDRESSES[1])))).toMatchObject({ status: 429 });
    for (let i = 0; i < SOCKETS; i += 1) {
      const client = await join({ ...at(), ...known });
      client.socket.send(init);
      await until(() => client.messages.length === 1);
    }
    expect(await refused('/graphql', opening({ ...at(), ...known }))).toMatchObject({ status: 429 });
  });

  it('are told to come again when all places are taken by the time they say it', async () => {
    const late = await join(at('192.0.2.7'));
    for (let i = 0; i < SOCKETS; i += 1) await join({ ...at(), ...known });
    late.socket.send(JSON.stringify({ type: 'connection_init', payload: known }));
    expect(await late.closed).toEqual({ code: 1013, reason: 'rate-limited' });
  });

  it('keep no place when their handshake is refused, though they do not hang up', async () => {
    const port = Number(new URL(holder.shop.gateway.url).port);
    const waiting: Socket[] = [];
    for (let i = 0; i < 3 * UNIDENTIFIED; i += 1) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
      const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
      const from = `X-Forwarded-For: 192.0.2.${100 + i}`;
      socket.write(
        `GET /graphql HTTP/1.1\r\nHost: a\r\n${upgrade}\r\nSec-WebSocket-Key: x\r\n${from}\r\n\r\n`,
      );
      waiting.push(socket);
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 400 /);
    }
    await join(at('192.0.2.9'));
    for (const socket of waiting) socket.destroy();
  });

  it('pay for it with their address, and those who say it do not', async () => {
    for (let i = 0; i < 3 * PER_ADDRESS; i += 1) {
      const client = await join(at('192.0.2.3'));
      await identify(client);
      client.socket.close();
      await client.closed;
    }
    for (let i = 0; i < PER_ADDRESS; i += 1) {
      const client = await join(at('192.0.2.3'));
      client.socket.terminate();
    }
    await side.untilAtMost(0);
    expect(await refused('/graphql', opening(at('192.0.2.3')))).toMatchObject({ status: 429 });
    // Its place is free again, and another address pays for itself.
    await join(at('192.0.2.4'));
  });

  it('are not only asked to leave: who does not answer the goodbye is cut off', async () => {
    const deaf = await join(at('192.0.2.5'));
    deaf.socket.pause();
    const raw = await rawSocket(holder.shop.gateway.url);
    await side.untilAtMost(0);
    raw.destroy();
  });

  it('have no place either when the handshake fails, or its client leaves meanwhile', async () => {
    for (let i = 0; i < PER_ADDRESS; i += 1) {
      const socket = await rawSocket(holder.shop.gateway.url, {
        'X-Forwarded-For': '192.0.2.6',
        'Sec-WebSocket-Version': '7',
      });
      socket.destroy();
    }
    await side.untilAtMost(0);
    for (const address of ['192.0.2.8', '192.0.2.9']) {
      for (let i = 0; i < UNIDENTIFIED / 2; i += 1) await join(at(address));
    }
  });
});

/** A client whose side of the connection never ends. */
async function rawSocket(url: string, more: Readonly<Record<string, string>> = {}): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  const fields = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': protocols[0],
    ...more,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET /graphql HTTP/1.1\r\n${lines.join('')}\r\n`);
  await once(socket, 'data');
  socket.resume();
  return socket;
}
