/**
 * One target, in a process of its own on HOST and PORT. Answers with its NAME and how much it was sent, with events below
 * `/events`, and with what it hears on WebSockets, until it is told otherwise by `PUT` of a
 * {@link Order} to its control server. Prints one line of JSON once it listens: {@link Told}.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FAULTS, GARBAGE } from '../../test/support/faults.ts';
import { randomFrom } from '../../test/support/random.ts';
import { echoSockets, sendEvents } from './live.ts';

/** How a target is from now on. */
export interface Order {
  readonly fault: FaultName | 'none';
  /** Share of requests that meet it. Default 1. */
  readonly share?: number;
  /** Of what is chosen at random. */
  readonly seed: number;
}

/** Where a target is. */
export interface Told {
  readonly port: number;
  readonly control: string;
}

/** What a target may do. */
export type FaultName = keyof typeof faults;

const SLOW_MS = 250;
const name = process.env['NAME'] ?? '';
let order: Order = { fault: 'none', seed: 0 };
let random = randomFrom(0);

const well: RequestListener = (request, response) => {
  const { url = '' } = request;
  if (url.startsWith('/events')) return sendEvents(request, response);
  let received = 0;
  request.on('data', (piece: Buffer) => (received += piece.length));
  request.once('end', () => {
    response.statusCode = url.endsWith('?fail') ? 500 : 200;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ target: name, received, at: Date.now() }));
  });
};

const faults = {
  ...FAULTS,
  garbage: ({ socket }) => void socket.end(GARBAGE[Math.floor(random() * GARBAGE.length)] ?? '', 'latin1'),
  slow: (request, response) => void setTimeout(() => well(request, response), SLOW_MS),
  broken: (_request, response) => void response.writeHead(500).end('{}'),
  /** Half of what it announces. */
  cut: ({ socket }) =>
    void socket.end(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{"target":"h',
    ),
} satisfies Readonly<Record<string, RequestListener>>;

const service = createServer((request, response) => {
  const { fault, share = 1 } = order;
  if (fault === 'none' || random() >= share) return well(request, response);
  faults[fault](request, response);
});
echoSockets(service);
service.on('connection', (socket) => socket.on('error', () => undefined));
// It is not the target who closes a connection that is about to be used.
service.keepAliveTimeout = 120_000;

const control = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  request.once('end', () => {
    order = JSON.parse(text) as Order;
    random = randomFrom(order.seed);
    response.end();
  });
});

async function portOf(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const port = await portOf(service, process.env['HOST'] ?? '127.0.0.1', Number(process.env['PORT'] ?? 0));
const told: Told = { port, control: `http://127.0.0.1:${await portOf(control, '127.0.0.1', 0)}` };
console.log(JSON.stringify(told));
