import { makeServer, type Server } from 'graphql-ws';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError, parse, type ExecutionArgs, type FormattedExecutionResult } from 'graphql';
import type { WebSocket } from 'ws';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Route } from '../../routing/route.ts';
import { watchEnd } from './event-stream.ts';
import { refusedErrors } from './graphql-answer.ts';
import { mayHaveHash, requestOf } from './graphql-request.ts';
import type { OperationRunner, Started } from './operation-runner.ts';
import { credentialLeftMs, enterSocketStages, withCredentials } from './socket-identity.ts';

const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
const GOING_AWAY = 1001;
const RESTART = 1012;
const INTERNAL = 1011;
const PING_EVERY_MS = 12_000;

/** What a socket may do. */
export interface SocketLimits {
  readonly perSocket: number;
  readonly idleMs: number;
  readonly maxAgeMs: number;
}

/** One client over WebSocket: what it is allowed, what it runs, and the timers that end it. */
class GraphqlSocket {
  exchange: Exchange;
  identified: boolean;
  readonly socket: WebSocket;
  readonly #idleMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ping: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined = undefined;
  #running = 0;
  #answered = true;
  #closed = false;

  constructor(socket: WebSocket, exchange: Exchange, limits: SocketLimits) {
    this.socket = socket;
    this.exchange = exchange;
    this.identified = exchange.principal !== undefined;
    this.#idleMs = limits.idleMs;
    this.after(limits.maxAgeMs, RESTART, 'Too old');
    this.#rest();
    // A peer that vanished without a goodbye answers no ping.
    socket.on('pong', () => (this.#answered = true));
    this.#ping = setInterval(() => {
      if (!this.#answered) return socket.terminate();
      this.#answered = false;
      socket.ping();
    }, PING_EVERY_MS);
  }

  /** Closes the socket after a time, unless it is closed by then. */
  after(ms: number, code: number, reason: string): void {
    if (ms === Infinity || this.#closed) return;
    this.#timers.add(setTimeout(() => this.socket.close(code, reason), ms));
  }

  started(): void {
    this.#running += 1;
    clearTimeout(this.#idle);
  }

  finished(): void {
    this.#running -= 1;
    if (this.#running === 0) this.#rest();
  }

  closed(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#idle);
    clearInterval(this.#ping);
    this.exchange.cancel(new Problem('client-closed'));
    this.exchange.close();
  }

  // Operations of a closed socket end after it; they must not start the clock again.
  #rest(): void {
    if (this.#closed) return;
    this.#idle = setTimeout(() => this.socket.close(GOING_AWAY, 'Idle'), this.#idleMs);
  }
}

/** Speaks `graphql-transport-ws` with the clients of one route. */
export class GraphqlSocketServer {
  readonly #route: Route;
  readonly #runner: OperationRunner;
  readonly #limits: SocketLimits;
  readonly #sockets = new Set<GraphqlSocket>();
  readonly #server: Server<GraphqlSocket>;
  readonly #refused = new WeakSet<object>();

  constructor(route: Route, schema: GraphQLSchema, runner: OperationRunner, limits: SocketLimits) {
    this.#route = route;
    this.#runner = runner;
    this.#limits = limits;
    // The document of the request was read by the runner; the library only wants to know what kind it is.
    const kinds = { query: parse('{ __typename }'), subscription: parse('subscription { __typename }') };
    const started = new WeakMap<object, Started>();
    const result = ({ contextValue }: ExecutionArgs): Started =>
      started.get(contextValue as object) as Started;
    this.#server = makeServer<Record<string, unknown>, GraphqlSocket>({
      onConnect: (context) => this.#identify(context.extra, context.connectionParams),
      onSubscribe: async ({ extra, subscriptions }, _id, payload) => {
        const outcome = await this.#start(extra, Object.keys(subscriptions).length, payload);
        const isStream = Symbol.asyncIterator in outcome;
        if (!isStream && outcome.data === undefined) return this.#refusal(outcome);
        const contextValue = {};
        started.set(contextValue, outcome);
        return { schema, document: isStream ? kinds.subscription : kinds.query, contextValue };
      },
      execute: result as never,
      subscribe: result as never,
      onNext: (_context, _id, _payload, _args, answer) => answer as FormattedExecutionResult,
      onError: (_context, _id, _payload, errors) => errors.map((error) => this.#shown(error)),
    });
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Takes over an upgraded socket. */
  open(socket: WebSocket, exchange: Exchange): void {
    const one = new GraphqlSocket(socket, exchange, this.#limits);
    this.#sockets.add(one);
    one.after(credentialLeftMs(exchange), UNAUTHORIZED, 'The token has expired');
    const closed = this.#server.opened(
      {
        protocol: socket.protocol,
        send: (data) => sent(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (listen) =>
          socket.on('message', (data) => {
            listen(withText(String(data as Buffer))).catch(() =>
              socket.close(INTERNAL, 'Internal server error'),
            );
          }),
      },
      one,
    );
    // A frame that is too large, or none at all: the library closes the socket itself, with the code for it.
    socket.on('error', () => {});
    socket.once('close', (code, reason) => {
      this.#sockets.delete(one);
      one.closed();
      void closed(code, String(reason));
    });
  }

  /** Sends everybody away over a time, so that they do not all come back at once; resolves when all are gone. */
  async drain(overMs: number): Promise<void> {
    await Promise.all(
      [...this.#sockets].map(
        ({ socket }) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => resolve());
            setTimeout(() => socket.close(RESTART, 'Service restart'), Math.random() * overMs);
            // Who does not say goodbye is not waited for.
            setTimeout(() => socket.terminate(), overMs + 1000).unref();
          }),
      ),
    );
  }

  async #identify(
    one: GraphqlSocket,
    params: Readonly<Record<string, unknown>> | undefined,
  ): Promise<boolean | undefined> {
    if (one.identified) return undefined;
    const exchange = withCredentials(one.exchange, params);
    try {
      await enterSocketStages(this.#route, exchange);
    } catch (error) {
      const status = error instanceof Problem ? error.status : 500;
      const code = error instanceof Problem ? error.code : 'internal';
      // Fails closed, with the code of the problem as the reason.
      one.socket.close(status === 401 ? UNAUTHORIZED : status === 403 ? FORBIDDEN : INTERNAL, code);
      return undefined;
    }
    one.exchange.onCancel((reason) => exchange.cancel(reason));
    one.exchange.onClosed(() => exchange.close());
    one.exchange = exchange;
    one.identified = true;
    one.after(credentialLeftMs(exchange), UNAUTHORIZED, 'The token has expired');
    return undefined;
  }

  async #start(one: GraphqlSocket, open: number, payload: Payload): Promise<Started> {
    // Counted with the new one.
    if (open > this.#limits.perSocket) {
      const message = `At most ${this.#limits.perSocket} operations run at once on one socket.`;
      return { errors: [{ message, extensions: { code: 'rate-limited' } } as never] };
    }
    const request = requestOf(payload);
    if (typeof request === 'string') return { errors: refusedErrors([new GraphQLError(request)], false) };
    if (one.socket.readyState !== one.socket.OPEN) return { errors: [] };
    one.started();
    const outcome = await this.#runner.start(request, one.exchange);
    if (!(Symbol.asyncIterator in outcome)) one.finished();
    else watchEnd(outcome, () => one.finished());
    // The client may have gone while its resolver was thinking.
    if (one.exchange.cancelled !== undefined && Symbol.asyncIterator in outcome)
      void outcome.return(undefined);
    return outcome;
  }

  #refusal({ errors = [] }: FormattedExecutionResult): readonly GraphQLError[] {
    return errors.map(({ message, path, extensions }) => {
      const error = new GraphQLError(message, { extensions, path });
      this.#refused.add(error);
      return error;
    });
  }

  // What we refused is already in the form that clients may see; anything else might tell what is inside.
  #shown(error: GraphQLError): ReturnType<GraphQLError['toJSON']> {
    if (this.#refused.has(error)) return error.toJSON();
    const { originalError } = error;
    const problem = originalError instanceof Problem ? originalError : new Problem('internal');
    return { message: problem.message, extensions: { code: problem.code } };
  }
}

type Payload = Parameters<typeof requestOf>[0];

/** The same message; one that asks by a hash gets an empty text, because the library insists on a text. */
function withText(message: string): string {
  if (!mayHaveHash(message)) return message;
  let read: unknown;
  try {
    read = JSON.parse(message);
  } catch {
    return message;
  }
  const { payload } = (read ?? {}) as { payload?: Record<string, unknown> | null };
  if (typeof payload !== 'object' || payload === null || payload['query'] !== undefined) return message;
  payload['query'] = '';
  return JSON.stringify(read);
}

function sent(socket: WebSocket, data: string): Promise<void> {
  // Resolves when the bytes are out: a client that reads slowly slows its own events down, nobody else's.
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    socket.send(data, () => resolve());
  });
}
