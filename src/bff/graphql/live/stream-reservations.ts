import type { FastifyRequest } from 'fastify';
import { createHash, randomUUID } from 'node:crypto';
import type { Exchange } from '../../../exchange/exchange.ts';
import { partitionOf } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import type { OperationHost } from './live-operations.ts';
import { STREAM_TOKEN } from './stream-request.ts';

const UNCLAIMED_MS = 30_000;

/** A stream of a single connection, from when it is reserved to when it has ended. */
class ReservedStream implements OperationHost {
  readonly kind = 'stream';
  /** That of the request that opened it, once there is one. */
  exchange: Exchange;
  running = 0;
  isOpen = false;
  readonly unclaimed: NodeJS.Timeout;

  constructor(exchange: Exchange, unclaimed: NodeJS.Timeout) {
    this.exchange = exchange;
    this.unclaimed = unclaimed;
  }

  started(): void {
    this.running += 1;
  }

  finished(): void {
    this.running -= 1;
  }
}

/** The streams of clients that have one for all of their operations, by their tokens. */
export class StreamReservations {
  readonly #reserved = new Map<string, ReservedStream>();
  #unopened = 0;
  readonly #release: (token: string, exchange: Exchange) => void;

  /** @param release lets go of what the library keeps for a token. */
  constructor(release: (token: string, exchange: Exchange) => void) {
    this.#release = release;
  }

  /** How many wait to be opened. */
  get unopened(): number {
    return this.#unopened;
  }

  /** The stream of a token; undefined for none, and for a token that nothing is reserved for. */
  find(token: string | undefined): OperationHost | undefined {
    return token === undefined ? undefined : this.#reserved.get(token);
  }

  /**
   * The token of a request: a new one for a PUT, else the one that it sends.
   *
   * @throws {Problem} `permission-denied` for a token of somebody else, `resource-not-found` for one that is gone.
   */
  tokenOf({ method, headers, query, exchange }: FastifyRequest): string | undefined {
    const owner = ownerOf(exchange);
    if (method === 'PUT') return `${owner}.${randomUUID()}`;
    const given = headers[STREAM_TOKEN] ?? (query as Record<string, unknown> | undefined)?.['token'];
    if (given === undefined) return undefined;
    if (typeof given !== 'string' || !given.startsWith(`${owner}.`))
      throw new Problem('permission-denied', { by: 'the owner of the stream' });
    if (!this.#reserved.has(given)) throw new Problem('resource-not-found');
    return given;
  }

  /** Reserves a stream, for somebody to open it soon. */
  reserve(token: string, exchange: Exchange): void {
    // What nobody connects to is let go; the library would keep it for good.
    const unclaimed = setTimeout(() => this.forget(token), UNCLAIMED_MS);
    this.#reserved.set(token, new ReservedStream(exchange, unclaimed));
    this.#unopened += 1;
  }

  /** Takes note that a stream was opened. */
  claim(token: string, exchange: Exchange): void {
    const stream = this.#reserved.get(token);
    if (stream === undefined || stream.isOpen) return;
    clearTimeout(stream.unclaimed);
    stream.isOpen = true;
    this.#unopened -= 1;
    stream.exchange = exchange;
  }

  /** Lets go of a stream. */
  forget(token: string): void {
    const stream = this.#reserved.get(token);
    if (stream === undefined) return;
    clearTimeout(stream.unclaimed);
    this.#reserved.delete(token);
    if (!stream.isOpen) this.#unopened -= 1;
    this.#release(token, stream.exchange);
  }

  /** Lets go of all streams. */
  forgetAll(): void {
    for (const [token] of this.#reserved) this.forget(token);
  }
}

// A token names its owner, so that nobody can listen to, or act on, the stream of somebody else.
function ownerOf({ principal }: Exchange): string {
  return createHash('sha256')
    .update(principal === undefined ? '' : partitionOf(principal))
    .digest('hex')
    .slice(0, 16);
}
