import { makeServer, type Server } from 'graphql-ws';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError, parse, type ExecutionArgs, type FormattedExecutionResult } from 'graphql';
import type { WebSocket } from 'ws';
import type { Exchange } from '../../exchange/exchange.ts';
import { CloseCode, LiveSocket, sendAway, type SocketTimes } from '../../exchange/sockets/live-socket.ts';
import { Problem } from '../../problems/problem.ts';
import type { Route } from '../../routing/route.ts';
import { watchEnd } from './event-stream.ts';
import { refusedErrors } from './graphql-answer.ts';
import { parseExactly } from './exact-integers.ts';
import { mayHaveHash, needsFields, requestOf } from './graphql-request.ts';
import type { OperationRunner, Started } from './operation-runner.ts';
import { enterSocketStages, withCredentials } from './socket-identity.ts';

/** What a socket may do. */
export interface SocketLimits extends SocketTimes {
  readonly perSocket: number;
}

/** One client over WebSocket: what it is allowed, and what it runs. */
class GraphqlSocket extends LiveSocket {
  identified: boolean;
  #running = 0;

  constructor(socket: WebSocket, exchange: Exchange, limits: SocketLimits) {
    super(socket, exchange, limits);
    this.identified = exchange.principal !== undefined;
  }

  started(): void {
    this.#running += 1;
    this.busy();
  }

  // Operations of a closed socket end after it.
  finished(): void {
    this.#running -= 1;
    if (this.#running === 0) this.rest();
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
    const closed = this.#server.opened(
      {
        protocol: socket.protocol,
        send: (data) => sent(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (listen) =>
          socket.on('message', (data) => {
            listen(readMessage(String(data as Buffer))).catch(() =>
              socket.close(CloseCode.internal, 'Internal server error'),
            );
          }),
      },
      one,
    );
    socket.once('close', (code, reason) => {
      this.#sockets.delete(one);
      one.closed();
      void closed(code, String(reason));
    });
  }

  /** Sends everybody away over a time, so that they do not all come back at once; resolves when all are gone. */
  async drain(overMs: number): Promise<void> {
    await sendAway(this.#sockets, { code: CloseCode.restart, reason: 'Service restart', overMs });
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
      one.socket.close(
        status === 401 || status === 403 ? CloseCode.ofStatus(status) : CloseCode.internal,
        code,
      );
      return undefined;
    }
    one.exchange.onCancel((reason) => exchange.cancel(reason));
    one.exchange.onClosed(() => exchange.close());
    one.exchange = exchange;
    one.identified = true;
    one.endWithCredential();
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

/**
 * The same message; read where the library would lose digits of its integers, and with an empty text where it asks by a
 * hash, because the library insists on a text. What cannot be read is for the library to refuse.
 */
function readMessage(message: string): string {
  if (!needsFields(message)) return message;
  let read: unknown;
  try {
    read = parseExactly(message);
  } catch {
    return message;
  }
  // The library would read a text once more.
  if (typeof read !== 'object' || read === null) return message;
  const { payload } = read as { payload?: Record<string, unknown> | null };
  if (
    typeof payload === 'object' &&
    payload !== null &&
    payload['query'] === undefined &&
    mayHaveHash(message)
  )
    payload['query'] = '';
  // The library takes what is read already, which its types do not tell. It must not become a text again: one that is
  // nested too deep would end the process here.
  return read as unknown as string;
}

function sent(socket: WebSocket, data: string): Promise<void> {
  // Resolves when the bytes are out: a client that reads slowly slows its own events down, nobody else's.
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    socket.send(data, () => resolve());
  });
}
