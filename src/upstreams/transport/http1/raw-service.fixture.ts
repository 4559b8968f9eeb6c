import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer, type TlsOptions } from 'node:tls';
import { Http1Pool, type Http1PoolOptions, type OutboundRequest } from './http1-pool.ts';
import type { OutboundCall } from './outbound-call.ts';

/** A request as it was heard. */
export interface Heard {
  /** Head and body, as they came. */
  readonly text: string;
  readonly socket: Socket;
  /** Which one it is, of all connections, from 1. */
  readonly turn: number;
}

/** An answer of 200 with a body. */
export const answer = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`;

/** A server of HTTP/1.1 that sends what it is told, whatever the protocol says. */
export class RawService {
  readonly sockets: Socket[] = [];
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor(onRequest: (heard: Heard) => void, secrets: TlsOptions | undefined) {
    const onSocket = (socket: Socket): void => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      // What is sent is sent now: held back until the last piece is acknowledged, it would come after the next request.
      socket.setNoDelay(true);
      let held = '';
      socket.on('data', (bytes: Buffer) => {
        held += bytes.toString('latin1');
        for (let size = sizeOf(held); size > 0; size = sizeOf(held)) {
          const text = held.slice(0, size);
          held = held.slice(size);
          onRequest({ text, socket, turn: this.requests.push(text) });
        }
      });
    };
    this.#server = secrets === undefined ? createServer(onSocket) : createSecureServer(secrets, onSocket);
    this.#server.on('tlsClientError', () => undefined);
  }

  /** Starts one on a free port; it sends `ok` unless it is told otherwise. */
  static async start(
    onRequest: (heard: Heard) => void = ({ socket }) => void socket.write(answer('ok')),
    { host = '127.0.0.1', secrets }: { host?: string; secrets?: TlsOptions } = {},
  ): Promise<RawService> {
    const service = new RawService(onRequest, secrets);
    service.#server.listen(0, host);
    await once(service.#server, 'listening');
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections are open. */
  get open(): number {
    return this.sockets.filter((socket) => !socket.destroyed).length;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Length of the request that a text begins with; 0: it is not complete. */
function sizeOf(text: string): number {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head < 4) return 0;
  const size = head + Number(/\r\ncontent-length: (\d+)\r\n/.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length < size ? 0 : size;
}

/** A pool of connections to a port of this machine. */
export function poolFor(port: number, options: Partial<Http1PoolOptions> = {}): Http1Pool {
  return new Http1Pool({
    host: '127.0.0.1', port, secure: false, maxConnections: 4, connectTimeoutMs: 2000, ...options,
  }); // prettier-ignore
}

/** What became of a request. */
export interface Ending {
  readonly status?: number;
  readonly fields?: object;
  readonly body?: string;
  readonly error?: Error & { code?: string };
  readonly oversized?: true;
  /** Its head was of no interest. */
  readonly refused?: true;
  /** How often it heard that the answer goes on. */
  readonly more: number;
}

/** What may be said about a request. */
export interface AskOptions extends Partial<OutboundRequest> {
  readonly maxBytes?: number;
  /** Heads of these statuses are of no interest. */
  readonly refuses?: number;
  readonly started?: (call: OutboundCall) => void;
}

/** Sends a request and tells what becomes of it; what is told twice fails. */
export function ask(pool: Http1Pool, options: AskOptions = {}): Promise<Ending> {
  const { maxBytes = 1_000_000, refuses = 600, started, ...rest } = options;
  const request = { method: 'GET', path: '/', fields: [], body: null, isIdempotent: true, ...rest };
  return new Promise((resolve, reject) => {
    let seen: Ending = { more: 0 };
    let isTold = false;
    const told = (what: Partial<Ending>): void => {
      if (isTold) throw new Error('told twice');
      isTold = true;
      resolve({ ...seen, ...what });
    };
    try {
      const call = pool.send(
        request,
        {
          head: (status, fields) => {
            seen = { ...seen, status, fields: { ...fields } };
            if (status >= refuses) told({ refused: true });
            return status < refuses;
          },
          more: () => (seen = { ...seen, more: seen.more + 1 }),
          ended: (body) => told({ body: body.toString('latin1') }),
          oversized: () => told({ oversized: true }),
          broke: (error) => told({ error }),
        },
        maxBytes,
      );
      started?.(call);
    } catch (error) {
      reject(error as Error);
    }
  });
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Waits for turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
