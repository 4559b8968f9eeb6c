import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { Exchange } from '../exchange/exchange.ts';
import { CloseCode, LiveSocket, sendAway } from '../exchange/sockets/live-socket.ts';
import { socketServerOptions, Upgrades } from '../exchange/sockets/upgrades.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';
import type { Route } from '../routing/route.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { offersSocket, type Binding, type SocketOptions } from '../upstreams/grpc/transcoding/binding.ts';
import { refuseForeignOrigin } from '../exchange/sockets/page-origin.ts';
import { Transcoder } from '../upstreams/grpc/transcoding/transcoder.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { AnswerWriter } from './answer-writer.ts';
import { jsonEditOf } from './json-edit.ts';

/** The subprotocol that the answer names when a client offers it; browsers that offer any want one to be named. */
export const SOCKET_PROTOCOL = 'grpc.json';
const DRAIN_MS = 2000;
/** What makes no sense for a socket: it is no answer to be kept, and a stream has no deadline. */
const NOT_FOR_SOCKETS: ReadonlySet<string> = new Set(['cache', 'deadline']);

/** Streams of gRPC methods over WebSocket, for the routes that are translated. */
@Injectable()
export class TranscodedSockets implements OnModuleInit, OnModuleDestroy {
  readonly #servers = new Map<number, WebSocketServer>();
  readonly #open = new Map<string, Set<LiveSocket>>();
  #upgrades: Upgrades | undefined = undefined;
  #leaving = false;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly snapshots: Snapshots,
    private readonly transcoder: Transcoder,
  ) {}

  onModuleInit(): void {
    this.#upgrades = Upgrades.of(this.host.httpAdapter.getInstance<FastifyInstance>());
    this.#upgrades.claim((request) => this.#claims(request));
  }

  /** Sends all clients away over two seconds, so that they do not all come back at once. */
  async onModuleDestroy(): Promise<void> {
    this.#leaving = true;
    const all = [...this.#open.values()].flatMap((sockets) => [...sockets]);
    await sendAway(all, { code: CloseCode.goingAway, reason: 'Going away', overMs: DRAIN_MS });
  }

  /** Whether an exchange of this route is to become a socket. */
  has({ request }: Exchange, { grpc }: Route): boolean {
    return typeof grpc === 'object' && offersSocket(grpc) && this.#upgrades?.has(request) === true;
  }

  /** The stages that such an exchange enters. */
  stagesOf(route: Route): readonly Stage[] {
    return route.stages.filter(({ name }) => !NOT_FOR_SOCKETS.has(name));
  }

  /** Opens the socket of an exchange whose stages were entered; what speaks against it is answered in HTTP. */
  answer(exchange: Exchange, route: Route, upstream: Upstream): void {
    const { options } = route.grpc as Binding;
    const refuse = (problem: Problem): void => new AnswerWriter(exchange, route).fail(problem);
    try {
      if (options.webSocket === 'off') throw new Problem('route-not-found');
      this.#check(exchange, route, options.webSocket);
      this.#accept(exchange, { route, upstream, options: options.webSocket }, refuse);
    } catch (error) {
      refuse(error instanceof Problem ? error : new Problem('internal', { cause: error }));
    }
  }

  #check(exchange: Exchange, { id }: Route, { origins, sockets }: SocketOptions): void {
    refuseForeignOrigin(exchange, origins);
    if (this.#leaving) throw new Problem('shutting-down');
    if ((this.#open.get(id)?.size ?? 0) >= sockets)
      throw new Problem('rate-limited', { headers: { 'retry-after': '5' }, by: 'sockets' });
  }

  #accept(
    exchange: Exchange,
    { route, upstream, options }: Accepted,
    refuse: (problem: Problem) => void,
  ): void {
    const binding = route.grpc as Binding;
    const edit = jsonEditOf(exchange, route);
    const begin = this.transcoder.prepareSocket({ exchange, upstream, binding, edit });
    this.#upgrades?.take(exchange, this.#serverFor(binding.options.maxLine), {
      refuse: ({ message }) => refuse(new Problem('request-malformed', { detail: message })),
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

  // Hosts are looked at when the request is matched: one that turns out to be another's is answered as a plain one.
  #claims(request: IncomingMessage): boolean {
    const path = normalizePath(splitTarget(request.url ?? '/').path);
    if (path === undefined) return false;
    const route = this.snapshots.current.table.peek({ path, host: '', method: 'GET', request });
    return typeof route?.grpc === 'object' && offersSocket(route.grpc);
  }
}

interface Accepted {
  readonly route: Route;
  readonly upstream: Upstream;
  readonly options: SocketOptions;
}
