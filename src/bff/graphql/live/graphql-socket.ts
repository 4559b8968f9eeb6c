import { makeServer, type Server } from 'graphql-ws';
import { GraphQLError, parse, type ExecutionArgs, type FormattedExecutionResult } from 'graphql';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { WebSocket } from 'ws';
import type { Exchange } from '../../../exchange/exchange.ts';
import { StageAnswered } from '../../../exchange/stage-answer.ts';
import { withoutMark } from '../../../exchange/json-bytes.ts';
import { LatestOnly } from '../../../sockets/latest-only.ts';
import type { EndStream } from '../../../sockets/byte-end.ts';
import { CloseCode, LiveSocket, sendAway, type SocketTimes } from '../../../sockets/live-socket.ts';
import { passOn } from '../../../policies/seats.ts';
import { enterStages } from '../../../policies/stage.ts';
import { Problem } from '../../../problems/problem.ts';
import { withoutStack } from '../../../problems/without-stack.ts';
import { parseExactly } from '../execution/exact-integers.ts';
import { mayHaveHash, needsFields, requestOf } from '../door/graphql-request.ts';
import type { RouteOf } from '../door/graphql.route.ts';
import type { LiveOperations, OperationHost, Started } from './live-operations.ts';
import { credit } from '../execution/operation-exchange.ts';
import type { SocketPlace } from './socket-admission.ts';
import { hasCredential, withCredentials } from './socket-identity.ts';

const PONG = JSON.stringify({ type: 'pong' });

/** A socket that was opened, with its place among those there may be. */
export interface OpenedSocket {
  readonly socket: WebSocket;
  /** The connection below it. */
  readonly raw: EndStream;
  readonly exchange: Exchange;
  readonly place: SocketPlace;
}

/** One client over WebSocket: what it is allowed, and what it runs. */
class GraphqlSocket extends LiveSocket implements OperationHost {
  readonly kind = 'socket';
  identified: boolean;
  readonly place: SocketPlace;
  #running = 0;
  // A payload may come with a ping, and is not sent back: nobody makes us write what he does not read.
  readonly #pongs = new LatestOnly<string>((pong, written) => this.flow.send(pong, false, written));

  constructor({ socket, raw, exchange, place }: OpenedSocket, times: SocketTimes) {
    super(socket, raw, exchange, times);
    this.identified = exchange.principal !== undefined;
    this.place = place;
  }

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
  readonly #operations: LiveOperations;
  readonly #times: SocketTimes;
  readonly #sockets = new Set<GraphqlSocket>();
  readonly #server: Server<GraphqlSocket>;
  readonly #refused = new WeakMap<object, GraphQLFormattedError>();

  constructor(routeOf: RouteOf, schema: GraphQLSchema, operations: LiveOperations, times: SocketTimes) {
    this.#routeOf = routeOf;
    this.#operations = operations;
    this.#times = times;
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
    const one = new GraphqlSocket(opened, this.#times);
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
    // A handshake that carries a credential has met these stages, also where the door looks at none.
    if (hasCredential(one.exchange.request)) return void this.#seat(one);
    const exchange = withCredentials(one.exchange, params);
    try {
      passOn(await enterStages(this.#routeOf(exchange).live.identified, exchange));
    } catch (error) {
      // Fails closed, with the code of the problem as the reason.
      if (error instanceof Problem) exchange.problem ??= error;
      one.end(closeCodeOf(error), reasonOf(error));
      return void exchange.close();
    }
    // The client may have gone while we asked who it is.
    if (!one.isOpen) return void exchange.close();
    if (!this.#seat(one)) return void exchange.close();
    const { exchange: handshake } = one;
    // Its access line is that of the handshake.
    handshake.principal = exchange.principal;
    handshake.onCancel((reason) => exchange.cancel(reason));
    handshake.onClosed(() => {
      credit(handshake, exchange);
      exchange.close();
    });
    one.exchange = exchange;
    one.endWithCredential();
    return undefined;
  }

  /** Gives a socket its place among those whose stages have passed; sends it away when all of them are taken. */
  #seat(one: GraphqlSocket): boolean {
    one.identified = one.place.identify();
    if (!one.identified) {
      one.exchange.problem ??= new Problem('rate-limited', { by: 'sockets' });
      one.end(CloseCode.tryAgainLater, 'rate-limited');
    }
    return one.identified;
  }

  async #start(one: GraphqlSocket, payload: Payload): Promise<Started> {
    if (!one.isOpen) return { errors: [] };
    const request = requestOf(payload);
    return this.#operations.start({ request, host: one, readsOnly: false, charged: false });
  }

  // The protocol has only errors for what has no data: what else there is to say goes with the first.
  #refusal({ errors = [], extensions: shown }: FormattedExecutionResult): readonly GraphQLError[] {
    return errors.map((told, index) => {
      // The library knows an error by its class.
      const error = withoutStack(() => new GraphQLError(told.message));
      this.#refused.set(
        error,
        index === 0 ? { ...told, extensions: { ...told.extensions, ...shown } } : told,
      );
      return error;
    });
  }

  // What we refused is already in the form that clients may see; anything else might tell what is inside.
  #shown(error: GraphQLError): GraphQLFormattedError {
    const refused = this.#refused.get(error);
    if (refused !== undefined) return refused;
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
function readMessage(text: string): string {
  const message = withoutMark(text);
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

function reasonOf(error: unknown): string {
  if (error instanceof StageAnswered) return 'answered';
  return error instanceof Problem ? error.code : 'internal';
}

// What may pass in a moment is told so that clients come again; a problem of ours is theirs to give up on.
function closeCodeOf(error: unknown): number {
  if (error instanceof StageAnswered) return CloseCode.ofStatus(error.answer.status);
  if (!(error instanceof Problem)) return CloseCode.internal;
  const { status } = error;
  if (status === 401 || status === 403) return CloseCode.ofStatus(status);
  // Such as while nobody can say whether a credential is good: clients that hear 1011 do not come again.
  return status === 429 || status === 503 ? CloseCode.tryAgainLater : CloseCode.internal;
}
