import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { dial, head, keep, untilWritable, type Attack, type Battlefield } from '../attack.ts';

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const MASK = Buffer.from([0, 0, 0, 0]);
const TEXT = 0x81;
const PING = 0x89;

function key(): string {
  return `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`;
}

/** A frame of a client; masked by zeros, which is as good as anything. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const start = length < 126 ? [opcode, 0x80 | length] : [opcode, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(start), MASK, payload]);
}

function message(value: unknown): Buffer {
  return frame(TEXT, Buffer.from(JSON.stringify(value)));
}

async function openSocket(field: Battlefield, turn: number): Promise<Socket> {
  const socket = await dial(field, turn);
  socket.write(head('GET /graphql', [...UPGRADE, key(), 'Sec-WebSocket-Protocol: graphql-transport-ws']));
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  return socket;
}

/** Writes for as long as the other side takes it, without reading; ends when it is cut off. */
async function pour(socket: Socket, bytes: Buffer, ms: number): Promise<void> {
  socket.pause();
  const until = performance.now() + ms;
  while (!socket.destroyed && performance.now() < until) {
    if (!socket.write(bytes)) await untilWritable(socket, 200);
    await rest(5);
  }
  socket.destroy();
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Handshakes and sockets that are not what they seem. */
export const handshakes: readonly Attack[] = [
  {
    name: 'refused handshakes with one byte more',
    perSecond: 60,
    atOnce: 200,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      const path = turn % 2 === 0 ? '/graphql' : '/test/talk/x';
      socket.write(head(`GET ${path}`, [...UPGRADE, 'Sec-WebSocket-Key: bad']));
      await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      socket.write('x');
      socket.destroy();
    },
  },
  {
    name: 'refused handshakes that never hang up',
    perSecond: 10,
    atOnce: 300,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.resume();
      socket.write(head('GET /graphql', [...UPGRADE, 'Sec-WebSocket-Key: bad']));
      await keep(socket, 20_000);
    },
  },
  {
    name: 'handshakes without a word',
    perSecond: 10,
    atOnce: 200,
    async strike(field, turn) {
      const socket = await openSocket(field, turn);
      socket.resume();
      await keep(socket, 60_000);
    },
  },
  {
    name: 'pings of 60 KB that nobody reads',
    perSecond: 1,
    atOnce: 4,
    async strike(field, turn) {
      const socket = await openSocket(field, turn);
      await pour(socket, message({ type: 'ping', payload: { text: 'x'.repeat(60_000) } }), 10_000);
    },
  },
  {
    name: 'small pings that nobody reads',
    perSecond: 1,
    atOnce: 2,
    async strike(field, turn) {
      const socket = await openSocket(field, turn);
      const pings = Array.from({ length: 200 }, () => [
        message({ type: 'ping' }),
        frame(PING, Buffer.from('x')),
      ]);
      await pour(socket, Buffer.concat(pings.flat()), 10_000);
    },
  },
  {
    name: 'invalid documents over sockets',
    perSecond: 1,
    atOnce: 2,
    async strike(field, turn) {
      const socket = await openSocket(field, turn);
      const token = field.tokens[turn % field.tokens.length] ?? '';
      socket.write(message({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
      await rest(200);
      const subscribe = (id: number): Buffer =>
        message({
          id: String(id),
          type: 'subscribe',
          payload: { query: `{ nothing${id} { of } this kind }` },
        });
      await pour(socket, Buffer.concat(Array.from({ length: 20 }, (_, id) => subscribe(id))), 5000);
    },
  },
];
