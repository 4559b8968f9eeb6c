import { createHash, randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { createHandler, type Handler, type Request } from 'graphql-sse';
import type { Exchange } from '../../exchange/exchange.ts';
import { credentialLeftMs } from '../../exchange/sockets/live-socket.ts';
import { Problem } from '../../problems/problem.ts';
import { EVENT_STREAM, prefersStream } from './accept.ts';
import { watchEnd } from './event-stream.ts';
import { refusedErrors } from './graphql-answer.ts';
import { fieldsOf, mayHaveHash, requestOf, type RequestFields } from './graphql-request.ts';
import type { OperationRunner, Started } from './operation-runner.ts';

const TOKEN = 'x-graphql-event-stream-token';
const JSON_TYPE = /^application\/json\s*(;|$)/i;
const UNCLAIMED_MS = 30_000;

interface Asking {
  readonly exchange: Exchange;
  /** The exchange of the stream that the operations of a request live on; its own, or an earlier one's. */
  readonly token: string | undefined;
  /** The parameters of a request that may ask by a hash; the library does not know them all. */
  readonly fields?: RequestFields | undefined;
}
type SseRequest = Request<FastifyRequest, Asking>;
type Body = AsyncGenerator<string, void, undefined>;

/** What a stream of a single connection is made of. */
interface Reserved {
  exchange: Exchange;
  operations: number;
  readonly unclaimed: NodeJS.Timeout;
}

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
  readonly #runner: OperationRunner;
  readonly #limits: StreamLimits;
  readonly #handler: Handler<FastifyRequest, Asking>;
  readonly #reserved = new Map<string, Reserved>();
  readonly #open = new Set<() => void>();
  #leaving = false;

  constructor(runner: OperationRunner, limits: StreamLimits) {
    this.#runner = runner;
    this.#limits = limits;
    this.#handler = createHandler<FastifyRequest, Asking>({
      authenticate: ({ context }) => context.token ?? null,
      // Waits for the client before the next event is asked for: the library would gather them without end.
      onNext: (_context, request) => this.#whenDrained(request.context),
      onSubscribe: async (request, params) => {
        const asked = requestOf({ ...params, documentId: request.context.fields?.['documentId'] });
        const started =
          typeof asked === 'string'
            ? { errors: refusedErrors([new GraphQLError(asked)], false) }
            : await this.#start(request.context, asked, request.method === 'GET');
        // The library only knows an answer by its data; one that has none is told as a stream of one answer.
        return (Symbol.asyncIterator in started || 'data' in started ? started : only(started)) as never;
      },
    });
  }

  /** How many streams are open or reserved. */
  get size(): number {
    return this.#open.size + this.#reserved.size;
  }

  /** Whether a request is about streams. */
  wants({ method, headers }: FastifyRequest): boolean {
    if (method === 'PUT' || method === 'DELETE') return true;
    return prefersStream(headers.accept) || (method === 'POST' && headers[TOKEN] !== undefined);
  }

  /** Answers such a request. */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const token = this.#tokenOf(request);
    const { method, exchange, headers } = request;
    const opens = prefersStream(headers.accept);
    if (this.#leaving) throw new Problem('shutting-down');
    // The library takes anything that contains the name; a foreign page could send some of that without asking us.
    if (method === 'POST' && !JSON_TYPE.test(headers['content-type'] ?? ''))
      throw new Problem('media-type-unsupported');
    if ((opens || method === 'PUT') && this.size >= this.#limits.sockets)
      throw new Problem('rate-limited', { headers: { 'retry-after': '5' } });
    if (method === 'DELETE') requireOperation(request, token);
    if (method === 'PUT' && token !== undefined) this.#reserve(token, exchange);
    if (opens && token !== undefined) this.#claim(token, exchange);
    const [body, init] = await this.#handler(askOf(request, { exchange, token }));
    reply.hijack();
    const fields = [...exchange.responseHeaders];
    for (const [name, value] of Object.entries(init.headers ?? {})) fields.push(name, value);
    reply.raw.writeHead(init.status, fields);
    if (body === null || typeof body === 'string') return void reply.raw.end(body ?? undefined);
    await this.#pump(body as Body, reply, exchange);
    if (token !== undefined) this.#forget(token);
  }

  /** Ends all streams over a time; refuses new ones. */
  async drain(overMs: number): Promise<void> {
    this.#leaving = true;
    for (const [token] of this.#reserved) this.#forget(token);
    const leaving = [...this.#open].map(
      (end) =>
        new Promise<void>((resolve) => {
          setTimeout(() => resolve(end()), Math.random() * overMs);
        }),
    );
    await Promise.all(leaving);
  }

  async #start(
    { exchange, token }: Asking,
    asked: Parameters<OperationRunner['start']>[0],
    readsOnly: boolean,
  ): Promise<Started> {
    const stream = token === undefined ? undefined : this.#reserved.get(token);
    if (stream === undefined) return this.#runner.start(asked, exchange, readsOnly);
    if (stream.operations >= this.#limits.perSocket) {
      const message = `At most ${this.#limits.perSocket} operations run at once on one stream.`;
      return { errors: [{ message, extensions: { code: 'rate-limited' } } as never] };
    }
    stream.operations += 1;
    // Lives as long as the stream, not as long as the request that asked for it.
    const started = await this.#runner.start(asked, stream.exchange, readsOnly);
    if (Symbol.asyncIterator in started) watchEnd(started, () => (stream.operations -= 1));
    else stream.operations -= 1;
    return started;
  }

  /** @throws {Problem} `permission-denied` for a token of somebody else. */
  #tokenOf({ method, headers, query, exchange }: FastifyRequest): string | undefined {
    const owner = ownerOf(exchange);
    if (method === 'PUT') return `${owner}.${randomUUID()}`;
    const given = headers[TOKEN] ?? (query as Record<string, unknown> | undefined)?.['token'];
    if (given === undefined) return undefined;
    if (typeof given !== 'string' || !given.startsWith(`${owner}.`)) throw new Problem('permission-denied');
    if (!this.#reserved.has(given)) throw new Problem('resource-not-found');
    return given;
  }

  #reserve(token: string, exchange: Exchange): void {
    // What nobody connects to is let go; the library would keep it for good.
    const unclaimed = setTimeout(() => this.#forget(token), UNCLAIMED_MS);
    this.#reserved.set(token, { exchange, operations: 0, unclaimed });
  }

  #claim(token: string, exchange: Exchange): void {
    const stream = this.#reserved.get(token);
    if (stream === undefined) return;
    clearTimeout(stream.unclaimed);
    stream.exchange = exchange;
  }

  #forget(token: string): void {
    const stream = this.#reserved.get(token);
    if (stream === undefined) return;
    clearTimeout(stream.unclaimed);
    this.#reserved.delete(token);
    void this.#release(token, stream.exchange);
  }

  // The library has no other way to let go of a stream than to open it and leave.
  async #release(token: string, exchange: Exchange): Promise<void> {
    const headers = { get: (name: string) => (name === 'accept' ? EVENT_STREAM : null) };
    const raw = undefined as never;
    const [body] = await this.#handler({
      method: 'GET',
      url: '/',
      headers,
      body: null,
      raw,
      context: { exchange, token },
    });
    if (body !== null && typeof body !== 'string') await (body as Body).return();
  }

  #whenDrained({ exchange, token }: Asking): Promise<void> | undefined {
    const stream = token === undefined ? undefined : this.#reserved.get(token);
    const { response } = stream?.exchange ?? exchange;
    return response.writableNeedDrain && !response.destroyed ? drained(response) : undefined;
  }

  async #pump(body: Body, { raw }: FastifyReply, exchange: Exchange): Promise<void> {
    const end = (): void => {
      void body.return();
    };
    const timers = [this.#limits.maxAgeMs, credentialLeftMs(exchange)]
      .filter((ms) => ms !== Infinity)
      .map((ms) => setTimeout(end, ms));
    this.#open.add(end);
    raw.once('close', end);
    try {
      for await (const part of body) {
        // Waits for the client: one that reads slowly slows its own events down.
        if (!raw.writable) break;
        if (!raw.write(part)) await drained(raw);
      }
    } finally {
      end();
      this.#open.delete(end);
      for (const timer of timers) clearTimeout(timer);
      raw.end();
    }
  }
}

/** @throws {Problem} `request-invalid` when a request to end an operation does not say which, or of which stream. */
function requireOperation({ query }: FastifyRequest, token: string | undefined): void {
  const operationId = (query as Readonly<Record<string, unknown>> | undefined)?.['operationId'];
  if (token === undefined) throw new Problem('request-invalid', { detail: `Send the token as "${TOKEN}".` });
  if (typeof operationId === 'string' && operationId !== '') return;
  throw new Problem('request-invalid', { detail: 'Say which operation with the parameter "operationId".' });
}

function askOf(request: FastifyRequest, asking: Asking): SseRequest {
  const { method, url, headers } = request;
  const body = (request.body as string | undefined) ?? null;
  const source = method === 'POST' ? (body ?? '') : url;
  const fields = mayHaveHash(source) ? fieldsOf(method === 'POST' ? 'POST' : 'GET', source) : undefined;
  // The library insists on a text; an empty one stands for none.
  const isTextless = fields !== undefined && fields['query'] === undefined;
  return {
    method,
    url: isTextless && method === 'GET' ? `${url}&query=` : url,
    headers: {
      get: (name) => {
        // The library knows the type only when it stands alone.
        if (name === 'accept' && prefersStream(headers.accept)) return EVENT_STREAM;
        const value = headers[name];
        return Array.isArray(value) ? value.join() : (value ?? null);
      },
    },
    body: isTextless && method === 'POST' ? { ...fields, query: '' } : body,
    raw: request,
    context: { ...asking, fields },
  };
}

// A token names its owner, so that nobody can listen to, or act on, the stream of somebody else.
function ownerOf({ principal }: Exchange): string {
  return createHash('sha256').update(`${principal?.scheme} ${principal?.id}`).digest('hex').slice(0, 16);
}

async function* only<Answer>(answer: Answer): AsyncGenerator<Answer> {
  yield await Promise.resolve(answer);
}

function drained(raw: FastifyReply['raw']): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      raw.off('drain', done).off('close', done);
      resolve();
    };
    raw.on('drain', done).on('close', done);
  });
}
