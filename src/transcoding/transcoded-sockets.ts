import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { Exchange } from '../exchange/exchange.ts';
import { CloseCode, LiveSocket, sendAway } from '../sockets/live-socket.ts';
import { refuseForeignOrigin } from '../sockets/page-origin.ts';
import { socketServerOptions, type Upgrades } from '../sockets/upgrades.ts';
import { incomingEditOf } from '../policies/transform/incoming-body.ts';
import { Problem } from '../problems/problem.ts';
import { jsonEditOf } from '../routing/json-edit.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';
import type { LiveRoutes } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { Binding, SocketOptions } from './binding.ts';
import type { Transcoder } from './transcoder.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** The subprotocol that the answer names when a client offers it; browsers that offer any want one to be named. */
export const SOCKET_PROTOCOL = 'grpc.json';
const DRAIN_MS = 2000;

/** An exchange that is to become a socket. */
export interface SocketRequest {
  readonly exchange: Exchange;
  readonly route: Route;
  readonly binding: Binding;
  readonly upstream: Upstream;
  /** Takes what speaks against it, which is answered in HTTP. */
  readonly sink: AnswerSink;
}

/** Streams of gRPC methods over WebSocket, for the routes that are translated. */
export class TranscodedSockets {
  readonly #servers = new Map<number, WebSocketServer>();
  readonly #open = new Map<string, Set<LiveSocket>>();
  readonly #transcoder: Transcoder;
  #upgrades: Upgrades | undefined = undefined;
  #leaving = false;

  constructor(transcoder: Transcoder) {
    this.#transcoder = transcoder;
  }

  /** Takes the server whose upgrades these are. */
  attach(upgrades: Upgrades): void {
    this.#upgrades = upgrades;
  }

  /**
   * Asks for the upgrades of the requests whose route offers a socket. Hosts are looked at when the request is matched:
   * one that turns out to be another's is answered as a plain one.
   */
  claim(offers: (asked: Parameters<LiveRoutes['peek']>[0]) => boolean): void {
    this.#upgrades?.claim((request: IncomingMessage) => {
      const { path: sent, query } = splitTarget(request.url ?? '/');
      const path = normalizePath(sent, 'keep');
      return path !== undefined && offers({ path, host: '', method: 'GET', request, query });
    });
  }

  /** Sends all clients away over two seconds, so that they do not all come back at once. */
  async leave(): Promise<void> {
    this.#leaving = true;
    const all = [...this.#open.values()].flatMap((sockets) => [...sockets]);
    await sendAway(all, { code: CloseCode.goingAway, reason: 'Going away', overMs: DRAIN_MS });
  }

  /** Whether an exchange, whose route offers a socket, is to become one. */
  has({ request }: Exchange): boolean {
    return this.#upgrades?.has(request) === true;
  }

  /** Opens the socket of an exchange whose stages were entered; what speaks against it is answered in HTTP. */
  answer(asked: SocketRequest): void {
    const { exchange, route, binding, sink } = asked;
    try {
      const { webSocket } = binding.options;
      if (webSocket === 'off') throw new Problem('route-not-found');
      this.#check(exchange, route, webSocket);
      this.#accept(asked, webSocket);
    } catch (error) {
      sink.fail(error instanceof Problem ? error : new Problem('internal', { cause: error }));
    }
  }

  #check(exchange: Exchange, { id }: Route, { origins, sockets }: SocketOptions): void {
    refuseForeignOrigin(exchange, origins);
    if (this.#leaving) throw new Problem('shutting-down');
    if ((this.#open.get(id)?.size ?? 0) >= sockets)
      throw new Problem('rate-limited', { headers: { 'retry-after': '5' }, by: 'sockets' });
  }

  #accept({ exchange, route, binding, upstream, sink }: SocketRequest, options: SocketOptions): void {
    const edit = jsonEditOf(exchange, route);
    const incoming = incomingEditOf(route.incoming);
    const { lines } = route;
    const begin = this.#transcoder.prepareSocket({ exchange, upstream, binding, edit, incoming, lines });
    this.#upgrades?.take(exchange, this.#serverFor(binding.options.maxLine), {
      refuse: (problem) => sink.fail(problem),
      open: (socket, raw) => {
        const live = new LiveSocket(socket, raw, exchange, {
          idleMs: options.idle,
          maxAgeMs: options.maxAge,
          stalledMs: upstream.options.timeouts.idle,
        });
        const all = this.#socketsOf(route.id);
        all.add(live);
        socket.once('close', () => {
          all.delete(live);
          live.closed();
        });
        begin(live);
      },
    });
  }

  #socketsOf(id: string): Set<LiveSocket> {
    let sockets = this.#open.get(id);
    if (sockets === undefined) this.#open.set(id, (sockets = new Set()));
    return sockets;
  }

  #serverFor(maxPayload: number): WebSocketServer {
    let server = this.#servers.get(maxPayload);
    if (server === undefined) {
      server = new WebSocketServer({
        ...socketServerOptions(maxPayload),
        handleProtocols: (offered) => offered.has(SOCKET_PROTOCOL) && SOCKET_PROTOCOL,
      });
      this.#servers.set(maxPayload, server);
    }
    return server;
  }
}
