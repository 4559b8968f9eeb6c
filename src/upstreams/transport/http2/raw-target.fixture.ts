import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FrameReader, type Frame } from './frames.ts';
import { Http2Pool, type Http2PoolOptions } from './http2-pool.ts';
import type { OutboundStream } from './outbound-stream.ts';

const PREFACE_BYTES = 24;

/** A frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: string | Buffer = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload.replaceAll(' ', ''), 'hex') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** The settings of a server that asks for nothing. */
export const GREETING = frame(4, 0, 0);
/** `:status: 200`. */
export const OK = '88';

/** What became of a request. */
export interface Ending {
  readonly status?: number;
  readonly fields?: object;
  readonly body?: string;
  readonly trailers?: object;
  readonly error?: Error & { http2ErrorCode?: number; wasOpen?: boolean };
  readonly oversized?: true;
}

/** A server that sends what it is told, whatever the protocol says. */
export class RawTarget {
  /** What it has heard, on all connections. */
  readonly frames: Frame[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(onFrame: (frame: Frame, socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      const reader = new FrameReader();
      let skipped = 0;
      socket.on('data', (bytes: Buffer) => {
        const skip = Math.min(PREFACE_BYTES - skipped, bytes.length);
        skipped += skip;
        reader.take(bytes.subarray(skip), (one) => {
          const kept = { ...one, payload: Buffer.from(one.payload) };
          this.frames.push(kept);
          onFrame(kept, socket);
          return true;
        });
      });
    });
  }

  /** Starts one on a free port. */
  static async start(onFrame: (frame: Frame, socket: Socket) => void): Promise<RawTarget> {
    const target = new RawTarget(onFrame);
    target.#server.listen(0, '127.0.0.1');
    await once(target.#server, 'listening');
    return target;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What it has heard of a type. */
  heard(type: number): readonly Frame[] {
    return this.frames.filter((one) => one.type === type);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A pool of connections to a port of this machine. */
export function poolFor(port: number, options: Partial<Http2PoolOptions> = {}): Http2Pool {
  return new Http2Pool({
    host: '127.0.0.1',
    port,
    secure: false,
    maxConnections: 4,
    connectTimeoutMs: 2000,
    fields: ['content-type', 'application/grpc', 'te', 'trailers'],
    ...options,
  });
}

/** Sends a request and tells what becomes of it. */
export function ask(
  pool: Http2Pool,
  { fields = [], body = Buffer.from('body'), maxBytes = 1_000_000, started = ignore }: AskOptions = {},
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let seen: Ending = {};
    try {
      const stream = pool.post(
        { path: '/shop.v1.Orders/GetOrder', fields, body },
        {
          head: (status, heard) => {
            seen = { status, fields: { ...heard } };
            return true;
          },
          ended: (bytes, trailers) => resolve({ ...seen, body: bytes.toString(), trailers: { ...trailers } }),
          oversized: () => resolve({ ...seen, oversized: true }),
          broke: (error) => resolve({ ...seen, error }),
        },
        maxBytes,
      );
      started(stream);
    } catch (error) {
      reject(error as Error);
    }
  });
}

/** What may be said about a request. */
export interface AskOptions {
  readonly fields?: readonly string[];
  readonly body?: Buffer;
  readonly maxBytes?: number;
  readonly started?: (stream: OutboundStream) => void;
}

function ignore(): void {}
