import type { Socket } from 'node:net';
import { dial, head, untilWritable, type Attack, type Battlefield } from '../attack.ts';

/** Sends a byte now and then until the other side hangs up. */
async function drip(socket: Socket, everyMs: number, ms: number): Promise<void> {
  socket.resume();
  const timer = setInterval(() => socket.write('x'), everyMs);
  const last = setTimeout(() => socket.destroy(), ms);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  clearInterval(timer);
  clearTimeout(last);
}

/** Sends as fast as it is taken until the other side hangs up. */
async function flood(socket: Socket, piece: Buffer, ms: number): Promise<void> {
  socket.resume();
  const until = performance.now() + ms;
  while (!socket.destroyed && performance.now() < until) {
    if (!socket.write(piece)) await untilWritable(socket);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  socket.destroy();
}

const JSON_BODY = ['Content-Type: application/json', 'Content-Length: 60000'];

function bearer({ tokens }: Battlefield, turn: number): string {
  return `Authorization: Bearer ${tokens[turn % tokens.length] ?? ''}`;
}

/** Requests whose bodies come slowly, never, or without an end. */
export const uploads: readonly Attack[] = [
  {
    name: 'anonymous bodies that drip at a controller',
    perSecond: 10,
    atOnce: 100,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(head('POST /api/v1/orders', JSON_BODY));
      await drip(socket, 500, 75_000);
    },
  },
  {
    name: 'bodies that drip, with a token',
    perSecond: 5,
    atOnce: 100,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      const target = turn % 2 === 0 ? 'POST /graphql' : 'POST /api/v1/orders';
      socket.write(head(target, [...JSON_BODY, bearer(field, turn)]));
      await drip(socket, 500, 75_000);
    },
  },
  {
    name: 'silent uploads',
    perSecond: 10,
    atOnce: 300,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(head('PUT /uploads/silent', ['Content-Length: 1000000']) + 'x');
      await drip(socket, 600_000, 60_000);
    },
  },
  {
    name: 'uploads that are answered early',
    perSecond: 0.5,
    atOnce: 2,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(head('POST /test/sum', ['Content-Type: application/json', 'Transfer-Encoding: chunked']));
      const lines = Buffer.from('{"n":1}\n'.repeat(2048));
      const chunk = Buffer.concat([
        Buffer.from(`${lines.length.toString(16)}\r\n`),
        lines,
        Buffer.from('\r\n'),
      ]);
      await flood(socket, chunk, 10_000);
    },
  },
  {
    name: 'uploads that are refused early',
    perSecond: 1,
    atOnce: 2,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(
        head('POST /api/v1/orders', ['Content-Type: application/json', 'Transfer-Encoding: chunked']),
      );
      await flood(socket, Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`), 5000);
    },
  },
  {
    name: 'clients that leave in the middle of an upload',
    perSecond: 5,
    atOnce: 50,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(head('PUT /uploads/left', ['Content-Length: 50000000']));
      socket.write(Buffer.alloc(1_000_000));
      await new Promise((resolve) => setTimeout(resolve, 300));
      socket.destroy();
    },
  },
];
