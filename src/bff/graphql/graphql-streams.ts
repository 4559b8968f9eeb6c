import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHandler, type Handler, type ResponseInit } from 'graphql-sse';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { prefersStream } from './accept.ts';
import { drained, OpenStreams, type StreamBody } from './open-streams.ts';
import type { OperationRunner } from './operation-runner.ts';
import { StreamOperations } from './stream-operations.ts';
import {
  openingRequest,
  requireJson,
  requireOperation,
  STREAM_TOKEN,
  streamRequestOf,
  type Asking,
} from './stream-request.ts';
import { StreamReservations } from './stream-reservations.ts';

/** How streams are bounded. */
export interface StreamLimits {
  /** Most streams at once, reserved ones included. */
  readonly sockets: number;
  readonly perSocket: number;
  readonly maxAgeMs: number;
}

/**
 * Speaks GraphQL over Server-Sent Events, one connection for each operation or one for all of a client. Streams
 * end with their client, with its token, at their age, and when the gateway leaves; the browser then reconnects.
 */
export class GraphqlStreams {
  readonly #limits: StreamLimits;
  readonly #handler: Handler<FastifyRequest, Asking>;
  readonly #reservations: StreamReservations;
  readonly #open: OpenStreams;
  #leaving = false;

  constructor(runner: OperationRunner, limits: StreamLimits) {
    this.#limits = limits;
    this.#open = new OpenStreams(limits.maxAgeMs);
    this.#reservations = new StreamReservations((token, exchange) => void this.#release(token, exchange));
    const operations = new StreamOperations(runner, this.#reservations, limits.perSocket);
    this.#handler = createHandler<FastifyRequest, Asking>({
      authenticate: ({ context }) => context.token ?? null,
      // Waits for the client before the next event is asked for: the library would gather them without end.
      onNext: (_context, request) => this.#whenDrained(request.context),
      onSubscribe: ({ context, method }, params) =>
        operations.start(context, params, method === 'GET') as never,
    });
  }

  /** How many streams are open or reserved. */
  get size(): number {
    return this.#open.size + this.#reservations.unopened;
  }

  /** Whether a request is about streams. */
  wants({ method, headers }: FastifyRequest): boolean {
    if (method === 'PUT' || method === 'DELETE') return true;
    return prefersStream(headers.accept) || (method === 'POST' && headers[STREAM_TOKEN] !== undefined);
  }

  /** Answers such a request. */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const token = this.#reservations.tokenOf(request);
    const { method, exchange } = request;
    const opens = prefersStream(request.headers.accept);
    if (this.#leaving) throw new Problem('shutting-down');
    requireJson(request);
    // One that is reserved counts already.
    const isNew = method === 'PUT' || (opens && token === undefined);
    if (isNew && this.size >= this.#limits.sockets)
      throw new Problem('rate-limited', { headers: { 'retry-after': '5' }, by: 'sockets' });
    if (method === 'DELETE') requireOperation(request, token);
    if (method === 'PUT' && token !== undefined) this.#reservations.reserve(token, exchange);
    const [body, init] = await this.#handler(streamRequestOf(request, { exchange, token }));
    const head = { status: init.status, headers: fieldsOf(init) };
    try {
      exchange.finishHead(head, 'answer');
    } catch (error) {
      // Nobody will take its events.
      if (body !== null && typeof body !== 'string') await (body as StreamBody).return();
      throw error;
    }
    reply.hijack();
    reply.raw.writeHead(head.status, head.headers);
    if (body === null || typeof body === 'string') return void reply.raw.end(body ?? undefined);
    if (token !== undefined) this.#reservations.claim(token, exchange);
    await this.#open.write(body as StreamBody, reply.raw, exchange);
    if (token !== undefined) this.#reservations.forget(token);
  }

  /** Ends all streams over a time; refuses new ones. */
  async drain(overMs: number): Promise<void> {
    this.#leaving = true;
    this.#reservations.forgetAll();
    await this.#open.drain(overMs);
  }

  // The library has no other way to let go of a stream than to open it and leave.
  async #release(token: string, exchange: Exchange): Promise<void> {
    const [body] = await this.#handler(openingRequest({ exchange, token }));
    if (body !== null && typeof body !== 'string') await (body as StreamBody).return();
  }

  #whenDrained({ exchange, token }: Asking): Promise<void> | undefined {
    const { response } = this.#reservations.find(token)?.exchange ?? exchange;
    return response.writableNeedDrain && !response.destroyed ? drained(response) : undefined;
  }
}

// Whether the connection stays is not for the library to say.
function fieldsOf({ headers = {} }: ResponseInit): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (name === 'connection' ? [] : [name, value]));
}
