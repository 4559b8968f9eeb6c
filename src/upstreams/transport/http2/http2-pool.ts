import type { AnswerReader } from '../answer-reader.ts';
import { NoFreeConnection } from '../no-free-connection.ts';
import type { SocketOptions } from '../socket.ts';
import { QUEUE_TIMEOUT_MS, WaitQueue } from '../wait-queue.ts';
import type { CarriedStream, StreamCarrier } from './carried-stream.ts';
import { DuplexStream, type DuplexReader } from './duplex-stream.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Http2Connection } from './http2-connection.ts';
import { ConnectionLost, type StreamReset } from './http2-faults.ts';
import { OutboundStream } from './outbound-stream.ts';
import { RequestHeads } from './request-head.ts';
import type { StreamedBody } from './streamed-body.ts';

const SHUTTING_DOWN = 'the gateway is shutting down';

/** What is asked of a target, by POST. */
export interface OutboundRequest {
  readonly path: string;
  /** Names in lower case and values, flat; besides those that all requests of the pool have. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

/**
 * What the connections to one target are made with. In the clear they begin with HTTP/2 at once (RFC 9113 section 3.3).
 */
export interface Http2PoolOptions extends Omit<SocketOptions, 'protocol'> {
  readonly maxConnections: number;
  /** How long a request waits for a connection with room, in ms. Default one second. */
  readonly queueTimeoutMs?: number;
  /** Fields that every request has, names in lower case and values, flat. */
  readonly fields: readonly string[];
  /** For {@link Http2Pool.open}: how much of an answer may wait for its reader, in bytes; absent for a pool of whole ones. */
  readonly streamWindow?: number;
}

/**
 * The connections of HTTP/2 to one target. A request takes a connection that has room; another one opens when the
 * streams of all are in use, and beyond the last one requests wait for their turn.
 */
export class Http2Pool implements ConnectionHost, StreamCarrier {
  readonly #options: Http2PoolOptions;
  readonly #connections: Http2Connection[] = [];
  readonly #waiting: WaitQueue<CarriedStream>;
  readonly #heads: RequestHeads;
  #isClosed = false;

  constructor(options: Http2PoolOptions) {
    this.#options = options;
    this.#waiting = new WaitQueue(options.queueTimeoutMs ?? QUEUE_TIMEOUT_MS, (stream) =>
      stream.broke(new NoFreeConnection()),
    );
    const { secure, host, port, fields } = options;
    const name = host.includes(':') ? `[${host}]` : host;
    this.#heads = new RequestHeads({ secure, authority: `${name}:${port}`, fields });
  }

  /**
   * Sends a request by POST; the reader hears what becomes of it, never before this returns.
   *
   * @param maxBytes largest body of the answer.
   * @throws {Error} when the request cannot be sent over HTTP at all.
   */
  post({ path, fields, body }: OutboundRequest, reader: AnswerReader, maxBytes: number): OutboundStream {
    const stream = new OutboundStream({ head: this.#heads.write(path, fields), body }, reader, maxBytes);
    this.#carry(stream);
    return stream;
  }

  /**
   * Opens a stream by POST, whose body and answer are sent and read as they come; the reader hears what becomes of it,
   * never before this returns. For a pool with a `streamWindow`.
   *
   * @throws {Error} when the request cannot be sent over HTTP at all.
   */
  open(
    { path, fields }: Pick<OutboundRequest, 'path' | 'fields'>,
    body: StreamedBody,
    reader: DuplexReader,
  ): DuplexStream {
    const { streamWindow = 0 } = this.#options;
    const stream = new DuplexStream(this.#heads.write(path, fields), body, reader, streamWindow);
    this.#carry(stream);
    return stream;
  }

  /** Closes the connections; what is under way is cut. */
  close(): void {
    this.#isClosed = true;
    const connections = this.#connections.splice(0);
    for (const connection of connections) connection.lost(SHUTTING_DOWN);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const stream of waiting) stream.broke(shuttingDown());
  }

  freed(connection: Http2Connection): void {
    for (const stream of this.#waiting) {
      if (!connection.hasRoom) return;
      this.#waiting.delete(stream);
      connection.carry(stream);
    }
  }

  refused(stream: CarriedStream, reason: StreamReset): void {
    // Safe, because the target has not begun with it; once, because it may refuse for a reason that stays.
    if (stream.wasRefused || this.#isClosed || !stream.beginsAgain()) return stream.broke(reason);
    stream.wasRefused = true;
    this.#place(stream);
  }

  closing(connection: Http2Connection): void {
    const index = this.#connections.indexOf(connection);
    if (index >= 0) this.#connections.splice(index, 1);
    if (this.#isClosed) return;
    // Those that waited for a stream of it take the next connection.
    for (const stream of this.#waiting) {
      const next = this.#withRoom();
      if (next === undefined) return;
      this.#waiting.delete(stream);
      next.carry(stream);
    }
  }

  forget(stream: CarriedStream): void {
    this.#waiting.delete(stream);
  }

  #carry(stream: CarriedStream): void {
    if (this.#isClosed) setImmediate(() => stream.broke(shuttingDown()));
    else this.#place(stream);
  }

  #place(stream: CarriedStream): void {
    const connection = this.#withRoom();
    if (connection !== undefined) return connection.carry(stream);
    stream.carrier = this;
    this.#waiting.add(stream);
  }

  #withRoom(): Http2Connection | undefined {
    for (const connection of this.#connections) if (connection.hasRoom) return connection;
    if (this.#connections.length >= this.#options.maxConnections) return undefined;
    const connection = new Http2Connection({ ...this.#options, protocol: 'h2' }, this);
    this.#connections.push(connection);
    return connection;
  }
}

function shuttingDown(): ConnectionLost {
  return new ConnectionLost(false, SHUTTING_DOWN);
}
