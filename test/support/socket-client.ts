import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

/** A client, and all that it heard. */
export interface SocketClient {
  readonly socket: WebSocket;
  readonly messages: unknown[];
  /** Binary frames. */
  readonly problems: Record<string, unknown>[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** How a socket is opened. */
export interface Opening {
  /** Of the gateway. */
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
}

/** Begins a handshake; nobody waits for it. */
export function connect(path: string, { url, headers = {}, protocols = [] }: Opening): SocketClient {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols, { headers });
  const [messages, problems] = [[], []] as [unknown[], Record<string, unknown>[]];
  socket.on('message', (data, isBinary) => {
    const value = JSON.parse(String(data)) as Record<string, unknown>;
    if (isBinary) problems.push(value);
    else messages.push(value);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  socket.on('error', () => {});
  return { socket, messages, problems, closed };
}

/** Opens a socket. */
export async function open(path: string, opening: Opening): Promise<SocketClient> {
  const client = connect(path, opening);
  await once(client.socket, 'open');
  return client;
}

/** The answer of a handshake that is refused. */
export async function refused(
  path: string,
  opening: Opening,
): Promise<{ status: number; code: unknown; head: IncomingMessage['headers'] }> {
  const { socket } = connect(path, opening);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const { code } = JSON.parse(text) as { code: string };
  return { status: response.statusCode ?? 0, code, head: response.headers };
}
