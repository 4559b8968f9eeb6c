import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHandler, type Handler, type ResponseInit } from 'graphql-sse';
import type { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { prefersStream } from '../door/accept.ts';
import { readRequest, type GraphqlRequest } from '../door/graphql-request.ts';
import type { HttpAnswers } from '../door/http-answers.ts';
import type { LiveOperations, OperationHost, Started } from './live-operations.ts';
import { drained, OpenStreams, type StreamBody } from './open-streams.ts';
import type { OperationRunner } from '../execution/operation-runner.ts';
import {
  openingRequest,
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
  readonly maxAgeMs: number;
}

/** What runs the operations of streams, and what writes a refusal that opens none. */
export interface StreamDeps {
  readonly operations: LiveOperations;
  readonly runner: OperationRunner;
  readonly answers: HttpAnswers;
}

/**
 * Speaks GraphQL over Server-Sent Events, one connection for each operation or one for all of a client. Streams
 * end with their client, with its token, at their age, and when the gateway leaves; the browser then reconnects.
 */
export class GraphqlStreams {
  readonly #deps: StreamDeps;
  readonly #limits: StreamLimits;
  readonly #handler: Handler<FastifyRequest, Asking>;
  readonly #reservations: StreamReservations;
  readonly #open: OpenStreams;
  #leaving = false;

  constructor(deps: StreamDeps, limits: StreamLimits) {
    this.#deps = deps;
    this.#limits = limits;
    this.#open = new OpenStreams(limits.maxAgeMs);
    this.#reservations = new StreamReservations((token, exchange) => void this.#release(token, exchange));
    this.#handler = createHandler<FastifyRequest, Asking>({
      authenticate: ({ context }) => context.token ?? null,
      // Waits for the client before the next event is asked for: the library would gather them without end.
      onNext: (_context, request) => this.#whenDrained(request.context),
      onSubscribe: ({ context, raw }) => this.#start(context, raw.method === 'GET') as never,
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
    // One that is reserved counts already.
    const isNew = method === 'PUT' || (opens && token === undefined);
    if (isNew && this.size >= this.#limits.sockets)
      throw new Problem('rate-limited', { headers: { 'retry-after': '5' }, by: 'sockets' });
    if (method === 'DELETE') requireOperation(request, token);
    if (method === 'PUT' && token !== undefined) this.#reservations.reserve(token, exchange);
    const isOperation = method === 'POST' || (method === 'GET' && token === undefined);
    const operation = isOperation ? await readRequest(request) : undefined;
    if (typeof operation === 'string' && !opens) return this.#refuse(reply, operation, exchange);
    const [body, init] = await this.#handler(streamRequestOf(request, { exchange, token, operation }));
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

  /** Starts an operation; what it ends in is what the library sends: an answer with data, or a stream of answers. */
  async #start(
    { exchange, token, operation }: Asking,
    readsOnly: boolean,
  ): Promise<Started | AsyncGenerator<Started>> {
    // Lives as long as the stream, not as long as the request that asked for it.
    const host = this.#reservations.find(token) ?? ownStream(exchange);
    const request = operation as GraphqlRequest | string;
    // Its request has met the stages of the route.
    const started = await this.#deps.operations.start({ request, host, readsOnly, charged: true });
    // The library only knows an answer by its data; one that has none is told as a stream of one answer.
    return Symbol.asyncIterator in started || 'data' in started ? started : only(started);
  }

  /** What is no request of GraphQL, and so has no id, is answered to who sent it and not on his stream. */
  async #refuse(reply: FastifyReply, request: string, exchange: Exchange): Promise<void> {
    const takes = { mutations: false, subscriptions: false };
    const result = await this.#deps.runner.run({ request, exchange, takes });
    if (result.kind === 'refused') this.#deps.answers.refused(reply, result, 'application/json');
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

const nothing = (): void => {};

/** The stream of one operation alone. */
function ownStream(exchange: Exchange): OperationHost {
  return { kind: 'stream', exchange, running: 0, started: nothing, finished: nothing };
}

async function* only<Answer>(answer: Answer): AsyncGenerator<Answer> {
  yield await Promise.resolve(answer);
}
