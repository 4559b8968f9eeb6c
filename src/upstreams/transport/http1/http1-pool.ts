import { NoFreeConnection } from '../no-free-connection.ts';
import type { SocketOptions } from '../socket.ts';
import type { AnswerLimits } from './answer-parser.ts';
import type { AnswerReader } from '../answer-reader.ts';
import { QUEUE_TIMEOUT_MS, WaitQueue } from '../wait-queue.ts';
import { Http1Connection, type ConnectionHost } from './http1-connection.ts';
import { ConnectionEnded } from './http1-faults.ts';
import type { CallCarrier, CarriedCall } from './carried-call.ts';
import { OutboundCall } from './outbound-call.ts';
import { RequestHeads, type RequestHead } from './request-heads.ts';

const SWEEP_EVERY_MS = 1000;

/** What the connections to one target are made with. */
export interface Http1PoolOptions extends Omit<SocketOptions, 'protocol'>, AnswerLimits {
  readonly maxConnections: number;
  /** How long a call waits for a connection, in ms. Default one second. */
  readonly queueTimeoutMs?: number;
}

/** What is asked of a target for a call. */
export interface OutboundRequest extends Omit<RequestHead, 'body'> {
  readonly body: Buffer | null;
  /** Whether it may be sent twice without harm. */
  readonly isIdempotent: boolean;
}

/**
 * The connections of HTTP/1.1 to one target, for calls and for proxied requests. Each carries one of them at a time. The one that has rested longest is used next, so that an answer too many has come, and has ended its connection,
 * before anybody could take it for his own. Beyond the last one calls wait for their turn.
 */
export class Http1Pool implements ConnectionHost, CallCarrier {
  readonly #options: Http1PoolOptions;
  readonly #heads: RequestHeads;
  readonly #connections = new Set<Http1Connection>();
  readonly #idle: Http1Connection[] = [];
  readonly #waiting: WaitQueue<CarriedCall>;
  #sweeper: NodeJS.Timeout | undefined = undefined;
  #isClosed = false;

  constructor(options: Http1PoolOptions) {
    this.#options = options;
    this.#waiting = new WaitQueue(options.queueTimeoutMs ?? QUEUE_TIMEOUT_MS, (call) =>
      call.broke(new NoFreeConnection()),
    );
    this.#heads = new RequestHeads(options);
  }

  /**
   * Sends a request; the reader hears what becomes of it, never before this returns.
   *
   * @param maxBytes largest body of the answer.
   * @throws {Error} when the request cannot be sent over HTTP at all.
   */
  send(request: OutboundRequest, reader: AnswerReader, maxBytes: number): OutboundCall {
    const { body, isIdempotent } = request;
    const call = new OutboundCall({ head: this.headOf(request), body, isIdempotent }, reader, maxBytes);
    this.carry(call);
    return call;
  }

  /** Writes the head of a request. @throws {Error} when it cannot be sent over HTTP at all. */
  headOf(request: RequestHead): string {
    return this.#heads.write(request);
  }

  /** Sends a call; it hears what becomes of it, never before this returns. */
  carry(call: CarriedCall): void {
    if (this.#isClosed) setImmediate(() => call.broke(shuttingDown()));
    else this.#place(call);
  }

  /** Closes the connections; what is under way is cut. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    for (const connection of this.#connections) connection.destroy(shuttingDown());
    for (const call of this.#waiting) call.broke(shuttingDown());
    this.#waiting.clear();
  }

  idle(connection: Http1Connection): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      return connection.carry(next);
    }
    this.#idle.push(connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  resend(call: CarriedCall): void {
    call.wasSent = true;
    if (this.#isClosed) return call.broke(shuttingDown());
    // The server may have ended the others as well.
    if (this.#connections.size < this.#options.maxConnections) this.#open().carry(call);
    else this.#place(call);
  }

  closed(connection: Http1Connection): void {
    this.#connections.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    const [next] = this.#waiting;
    if (next === undefined || this.#isClosed) return;
    this.#waiting.delete(next);
    this.#place(next);
  }

  forget(call: CarriedCall): void {
    this.#waiting.delete(call);
  }

  #place(call: CarriedCall): void {
    const idle = this.#usable();
    if (idle !== undefined) return idle.carry(call);
    if (this.#connections.size < this.#options.maxConnections) return this.#open().carry(call);
    call.carrier = this;
    this.#waiting.add(call);
  }

  #open(): Http1Connection {
    const connection = new Http1Connection({ ...this.#options, protocol: 'http/1.1' }, this);
    this.#connections.add(connection);
    return connection;
  }

  #usable(): Http1Connection | undefined {
    const now = performance.now();
    for (let idle = this.#idle.shift(); idle !== undefined; idle = this.#idle.shift()) {
      if (idle.expiresAt > now) return idle;
      idle.destroy();
    }
    return undefined;
  }

  #sweep(): void {
    const now = performance.now();
    const expired = this.#idle.filter(({ expiresAt }) => expiresAt <= now);
    for (const connection of expired) connection.destroy();
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

function shuttingDown(): ConnectionEnded {
  return new ConnectionEnded('the gateway is shutting down');
}
