import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../telemetry/logger.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { Listener } from './listener.ts';
import { listenersSchema } from './listeners.schema.ts';

const MOST_EARLY = 1000;

const [options] = listenersSchema.parse([{ port: 0 }]) as [ListenerSettings['options']];
const settings: ListenerSettings = { options, tls: undefined, proxies: undefined };

let listener: Listener;
let main: Server;
const clients: Socket[] = [];
/** Connections that the listener has begun to work on. */
let accepted = 0;

async function listening(): Promise<void> {
  accepted = 0;
  main = createServer((_, response) => void response.end('whole'));
  listener = new Listener({
    main,
    http: {},
    keepAliveMs: 1000,
    logger: createLogger('silent'),
    accepted: () => (accepted += 1),
    taken: () => undefined,
    watch: () => undefined,
    isAmong: () => false,
    denied: () => undefined,
    admit: () => true,
  });
  await listener.listen(0, '127.0.0.1');
}

async function client(): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1').on('error', () => undefined);
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Waits until the listener has taken so many from the system that are open. */
async function taken(wanted: number): Promise<void> {
  const { server } = listener;
  const count = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, it) => resolve(it)));
  while ((await count()) !== wanted) await sleep(1);
}

afterEach(() => {
  listener.leave();
  for (const socket of clients.splice(0)) socket.destroy();
});

describe('a connection that comes before the settings', () => {
  it('waits for them, and is answered', async () => {
    await listening();
    const socket = await client();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await taken(1);
    expect(accepted).toBe(0);
    listener.use(settings);
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(String(head)).toMatch(/^HTTP\/1.1 200 [^]*whole/);
    expect(accepted).toBe(1);
  });

  it('is closed when there will be none', async () => {
    await listening();
    const socket = await client();
    const closed = once(socket.resume(), 'close');
    await taken(1);
    listener.leave();
    await closed;
    expect(accepted).toBe(0);
  });

  it(`is closed when ${MOST_EARLY} wait already`, async () => {
    await listening();
    const waiting = await Promise.all(Array.from({ length: MOST_EARLY }, client));
    const one = await client();
    await once(one.resume(), 'close');
    await taken(MOST_EARLY);
    expect(waiting.filter(({ destroyed }) => destroyed)).toEqual([]);
    listener.use(settings);
    expect(accepted).toBe(MOST_EARLY);
  });
});
