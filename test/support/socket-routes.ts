import { afterAll, beforeAll } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { LogLine } from './gateway.ts';
import { useShop, type Shop, type ShopOptions } from './shop.ts';
import { echoSockets, type SocketService } from './socket-service.ts';

/** A gateway whose routes forward WebSockets to a service that echoes them. */
export interface SocketWorld {
  readonly shop: Shop;
  readonly service: SocketService;
  /** Begins a handshake. */
  connect(path: string, opening?: Opening): Client;
  /** Opens a socket, and gives the end of the service with it. */
  open(path: string, opening?: Opening): Promise<{ client: Client; behind: WebSocket }>;
  /** The answer of a handshake that is refused. */
  refused(path: string, opening?: Opening): Promise<Refusal>;
  /** Opens a socket by hand. */
  raw(path: string, fields?: Readonly<Record<string, string | undefined>>): RawSocket;
  /** The access line of a socket of a route that has ended with a code. */
  lineOf(route: string, code: number): Promise<LogLine>;
}

/** How a socket is opened. */
export interface Opening {
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
  readonly perMessageDeflate?: boolean;
}

/** What a refused handshake was answered with. */
export interface Refusal {
  readonly status: number;
  readonly head: IncomingMessage['headers'];
  readonly text: string;
}

/** A client, and all that it heard. */
export interface Client {
  readonly socket: WebSocket;
  /** Messages as text, pings as `ping:…` and pongs as `pong:…`, in the order in which they came. */
  readonly heard: string[];
  readonly head: Promise<IncomingMessage['headers']>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** A connection that says what no library would say. */
export interface RawSocket {
  readonly socket: Socket;
  /** All that came, as latin1. */
  heard: string;
  readonly closed: Promise<unknown>;
}

/** Starts a gateway and a service before the tests of a file. */
export function useSocketWorld(options: ShopOptions, compresses = false): SocketWorld {
  const holder = useShop({ ...options, modules: [], more: { modules: [], ...options.more } });
  const world = { service: undefined as unknown as SocketService };
  const raws: Socket[] = [];
  beforeAll(() => {
    world.service = echoSockets(holder.shop.echo.server, undefined, { perMessageDeflate: compresses });
  });
  afterAll(() => {
    world.service.stop();
    for (const socket of raws) socket.destroy();
  });
  const url = (path: string): string => holder.shop.gateway.url.replace('http', 'ws') + path;
  const begin = (path: string, opening: Opening = {}): Client => connect(url(path), opening);
  return {
    get shop() {
      return holder.shop;
    },
    get service() {
      return world.service;
    },
    connect: begin,
    async open(path, opening) {
      const behind = once(world.service, 'socket') as Promise<[WebSocket]>;
      const client = begin(path, opening);
      const opened = once(client.socket, 'open');
      const [one] = await behind;
      await opened;
      return { client, behind: one };
    },
    refused: (path, opening) => refusalOf(begin(path, opening)),
    raw: (path, fields = {}) => {
      const raw = rawSocket(holder.shop.gateway.url, path, fields);
      raws.push(raw.socket);
      return raw;
    },
    async lineOf(route, code) {
      const isWanted = (line: LogLine): boolean =>
        line['route'] === route && (line['socket'] as { code?: unknown } | undefined)?.code === code;
      const lines = await holder.shop.gateway.linesWhere(isWanted);
      return lines.at(-1) as LogLine;
    },
  };
}

function connect(url: string, { headers = {}, protocols = [], perMessageDeflate = false }: Opening): Client {
  const socket = new WebSocket(url, protocols, { headers, perMessageDeflate } as never);
  const heard: string[] = [];
  socket.on('message', (data) => void heard.push(String(data)));
  socket.on('ping', (data) => void heard.push(`ping:${String(data)}`));
  socket.on('pong', (data) => void heard.push(`pong:${String(data)}`));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  socket.on('error', () => {});
  const head = new Promise<IncomingMessage['headers']>((resolve) => {
    (socket as EventEmitter).once('upgrade', ({ headers: fields }: IncomingMessage) => resolve(fields));
  });
  return { socket, heard, head, closed };
}

async function refusalOf({ socket }: Client): Promise<Refusal> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, head: response.headers, text };
}

function rawSocket(
  url: string,
  path: string,
  fields: Readonly<Record<string, string | undefined>>,
): RawSocket {
  const { port, hostname } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  socket.on('error', () => undefined);
  const all: Record<string, string | undefined> = {
    Host: 'a',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  const raw = { socket, heard: '', closed: once(socket, 'close') };
  socket.on('data', (bytes) => (raw.heard += bytes.toString('latin1')));
  socket.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  return raw;
}

/** A frame of a client, masked with zeros. */
export function clientFrame(first: number, payload: string | Buffer = ''): Buffer {
  const body = Buffer.from(payload);
  return Buffer.concat([Buffer.from([first, 0x80 | body.length, 0, 0, 0, 0]), body]);
}
