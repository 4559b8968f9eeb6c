import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const TARGET_MS = 400;
const CONNECTIONS_AT_ONCE = 200;
const LONGEST_MS = 60_000;

/** An upstream that takes its time, and counts. */
export interface SlowOrigin {
  readonly server: Server;
  readonly port: number;
  /** How often it was asked. */
  asked(): number;
}

/** Starts one; its answers may be kept. */
export async function startSlowOrigin(): Promise<SlowOrigin> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    setTimeout(() => response.writeHead(200, { 'cache-control': 'max-age=60' }).end('body'), TARGET_MS);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, asked: () => asked };
}

/** Sends so many requests for one key over a connection each, all before the first is answered. @returns how many got 200. */
export async function burst(port: number, count: number): Promise<number> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(CONNECTIONS_AT_ONCE, count - sockets.length) }, () =>
      connect(port, '127.0.0.1'),
    );
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    sockets.push(...batch);
  }
  const answered = sockets.map((socket) => firstLineOf(socket));
  for (const socket of sockets) socket.write('GET /burst HTTP/1.1\r\nHost: bench\r\n\r\n');
  const lines = await Promise.race([Promise.all(answered), sleep(LONGEST_MS, [] as string[])]);
  for (const socket of sockets) socket.destroy();
  return lines.filter((line) => line.startsWith('HTTP/1.1 200')).length;
}

async function firstLineOf(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString('latin1').split('\r\n', 1)[0] as string;
}
