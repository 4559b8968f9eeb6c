import { makeServer, type Server } from 'graphql-ws';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError, parse, type ExecutionArgs, type FormattedExecutionResult } from 'graphql';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Exchange } from '../../exchange/exchange.ts';
import { LatestOnly } from '../../exchange/sockets/latest-only.ts';
import { CloseCode, LiveSocket, sendAway, type SocketTimes } from '../../exchange/sockets/live-socket.ts';
import { Problem } from '../../problems/problem.ts';
import { watchEnd } from './event-stream.ts';
import { refusedErrors } from './graphql-answer.ts';
import { parseExactly } from './exact-integers.ts';
import { mayHaveHash, needsFields, requestOf } from './graphql-request.ts';
import type { RouteOf } from './graphql.route.ts';
import type { OperationRunner, Started } from './operation-runner.ts';
import type { SocketPlace } from './socket-admission.ts';
import { enterSocketStages, withCredentials } from './socket-identity.ts';

const PONG = JSON.stringify({ type: 'pong' });

/** What a socket may do. */
export interface SocketLimits extends SocketTimes {
  readonly perSocket: number;
}

/** A socket that was opened, with its place among those there may be. */
export interface OpenedSocket {
  readonly socket: WebSocket;
  /** The connection below it. */
  readonly raw: Socket;
  readonly exchange: Exchange;
  readonly place: SocketPlace;
}

/** One client over WebSocket: what it is allowed, and what it runs. */
class GraphqlSocket extends LiveSocket {
  identified: boolean;
  readonly place: SocketPlace;
  #running = 0;
  // A payload may come with a ping, and is not sent back: nobody makes us write what he does not read.
  readonly #pongs = new LatestOnly<string>((pong, written) => this.flow.send(pong, false, written));

  constructor({ socket, raw, exchange, place }: OpenedSocket, limits: SocketLimits) {
    super(socket, raw, exchange, limits);
    this.identified = exchange.principal !== undefined;
    this.place = place;
  }

  /** How many of its operations run, those included that the client has completed and that have not ended yet. */
  get running(): number {
    return this.#running;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  pong(): void {
    this.#pongs.offer(PONG);
  }

  /** Sends a message. Resolves when it is out: a client that reads slowly slows its own events down, nobody else's. */
  sent(message: string): Promise<void> {
    return new Promise((resolve) => this.flow.send(message, false, resolve));
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
  readonly #routeOf: RouteOf;
  readonly #runner: OperationRunner;
  readonly #limits: SocketLimits;
  readonly #sockets = new Set<GraphqlSocket>();
  readonly #server: Server<GraphqlSocket>;
  readonly #refused = new WeakSet<object>();

  constructor(routeOf: RouteOf, schema: GraphQLSchema, runner: OperationRunner, limits: SocketLimits) {
    this.#routeOf = routeOf;
    this.#runner = runner;
    this.#limits = limits;
    // The document of the request was read by the runner; the library only wants to know what kind it is.
    const kinds = { query: parse('{ __typename }'), subscription: parse('subscription { __typename }') };
    const started = new WeakMap<object, Started>();
    const result = ({ contextValue }: ExecutionArgs): Started =>
      started.get(contextValue as object) as Started;
    this.#server = makeServer<Record<string, unknown>, GraphqlSocket>({
      onConnect: (context) => {
        const { extra, connectionParams } = context;
        // A message is not kept for as long as its socket stays.
        Reflect.deleteProperty(context, 'connectionParams');
        return this.#identify(extra, connectionParams);
      },
      onSubscribe: async ({ extra }, _id, payload) => {
        const outcome = await this.#start(extra, payload);
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

  /** Takes over an upgraded socket. */
  open(opened: OpenedSocket): void {
    const one = new GraphqlSocket(opened, this.#limits);
    const { socket } = one;
    this.#sockets.add(one);
    const closed = this.#server.opened(
      {
        protocol: socket.protocol,
        send: (data) => one.sent(data),
        close: (code = CloseCode.normal, reason = '') => one.end(code, reason),
        onPing: () => one.pong(),
        onMessage: (listen) =>
          socket.on('message', (data) => {
            // Who was told goodbye is not listened to any more.
            if (!one.isOpen) return;
            one.flow.heard((data as Buffer).length);
            listen(readMessage(String(data as Buffer))).catch(() =>
              one.end(CloseCode.internal, 'Internal server error'),
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
  ): Promise<undefined> {
    if (one.identified) return undefined;
    const exchange = withCredentials(one.exchange, params);
    try {
      await enterSocketStages(this.#routeOf(exchange), exchange);
    } catch (error) {
      // Fails closed, with the code of the problem as the reason.
      one.end(closeCodeOf(error), error instanceof Problem ? error.code : 'internal');
      return undefined;
    }
    // The client may have gone while we asked who it is.
    if (!one.isOpen) return void exchange.close();
    if (!one.place.identify()) {
      exchange.close();
      return void one.end(CloseCode.tryAgainLater, 'rate-limited');
    }
    one.exchange.onCancel((reason) => exchange.cancel(reason));
    one.exchange.onClosed(() => exchange.close());
    one.exchange = exchange;
    one.identified = true;
    one.endWithCredential();
    return undefined;
  }

  async #start(one: GraphqlSocket, payload: Payload): Promise<Started> {
    if (one.running >= this.#limits.perSocket) {
      const message = `At most ${this.#limits.perSocket} operations run at once on one socket.`;
      return { errors: [{ message, extensions: { code: 'rate-limited' } } as never] };
    }
    const request = requestOf(payload);
    if (typeof request === 'string') return { errors: refusedErrors([new GraphQLError(request)], false) };
    if (!one.isOpen) return { errors: [] };
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

// What may pass in a moment is told so that clients come again; a problem of ours is theirs to give up on.
function closeCodeOf(error: unknown): number {
  if (!(error instanceof Problem)) return CloseCode.internal;
  const { status, code } = error;
  if (status === 401 || status === 403) return CloseCode.ofStatus(status);
  return code === 'rate-limited' ? CloseCode.tryAgainLater : CloseCode.internal;
}
