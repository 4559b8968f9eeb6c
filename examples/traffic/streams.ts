import { once } from 'node:events';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import type { Sending } from './send.ts';
import type { VisitorHeaders, VisitorName } from './visitors.ts';

/** One stream after the other of a kind: each lives for a while, and resolves when it has ended. */
type Stream = (headers: Readonly<Record<string, string>>, sending: Sending) => Promise<unknown>;

const SUBSCRIPTION = 'subscription Watch { notificationWatched(backlog: 1) { text unread } }';

/** What is listened to all the time, and by whom. */
export const STREAMS: readonly (readonly [VisitorName, Stream])[] = [
  ['linus', (headers, to) => listen('POST /graphql', { query: SUBSCRIPTION }, headers, to)],
  ['grace', (headers, to) => listen('GET /api/v3/notifications:watch?backlog=1', undefined, headers, to)],
  ['mary', (headers, to) => openSocket('/api/v3/notifications:watch?backlog=2', headers, to)],
];

/** Opens a stream whenever the last one has ended, until it is told to stop. */
export async function keepOpen(
  [name, stream]: (typeof STREAMS)[number],
  visitors: VisitorHeaders,
  next: () => Sending,
  pause: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await stream(await visitors.of(name), next()).catch(() => undefined);
    await pause();
  }
}

/** Server-sent events, or NDJSON: what comes is read and forgotten. */
async function listen(
  asks: string,
  body: object | undefined,
  headers: Readonly<Record<string, string>>,
  { gateway, signal }: Sending,
): Promise<unknown> {
  const [method, path] = asks.split(' ', 2);
  const accept = body === undefined ? 'application/x-ndjson' : 'text/event-stream';
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const out = request(gateway + path, { method, signal, headers: { ...headers, ...type, accept } });
  // Also once it is answered.
  out.on('error', () => undefined);
  out.end(body && JSON.stringify(body));
  const [response] = await once(out, 'response');
  response.on('error', () => undefined).resume();
  return once(response, 'close');
}

async function openSocket(
  path: string,
  headers: Readonly<Record<string, string>>,
  { gateway, signal }: Sending,
): Promise<unknown> {
  signal.throwIfAborted();
  const socket = new WebSocket(gateway.replace('http', 'ws') + path, [], { headers: { ...headers } });
  const close = (): void => socket.terminate();
  signal.addEventListener('abort', close, { once: true });
  socket.on('error', () => undefined);
  try {
    return await new Promise((ended) => socket.once('close', ended));
  } finally {
    signal.removeEventListener('abort', close);
  }
}
