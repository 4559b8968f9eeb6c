import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { socketServerOptions } from './upgrades.ts';

const MESSAGES = 200;
/** A masked text frame with one letter. */
const TEXT = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]);
const PING = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);

let server: Server;
const heard: number[] = [];
let turn = 0;
let counting = true;

beforeAll(async () => {
  const sockets = new WebSocketServer(socketServerOptions(1024));
  server = createServer().on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (one) => {
      one.on('message', () => void heard.push(turn));
      one.on('ping', () => void heard.push(turn));
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const count = (): void => {
    turn += 1;
    if (counting) setImmediate(count);
  };
  count();
});
afterAll(() => {
  counting = false;
  server.close();
});

it('takes one message of a socket in each turn of the event loop, however many came at once', async () => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\n${fields}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await once(socket, 'data');
  socket.write(Buffer.concat(Array.from({ length: MESSAGES }, (_, i) => (i % 2 === 0 ? TEXT : PING))));
  while (heard.length < MESSAGES) await new Promise((resolve) => setImmediate(resolve));
  expect(new Set(heard).size).toBe(MESSAGES);
  socket.destroy();
});
