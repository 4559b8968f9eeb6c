import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { hostOf } from '../exchange/absolute-form.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';
import type { LiveRoutes, LiveWork } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { CloseCode, sendAway } from '../sockets/live-socket.ts';
import { refuseForeignOrigin } from '../sockets/page-origin.ts';
import type { SocketOffer } from '../sockets/socket-offer.ts';
import type { SocketTunnel } from '../sockets/socket-tunnel.ts';
import { Upgrades } from '../sockets/upgrades.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { HttpForwarding } from '../upstreams/http/http-forwarder.ts';
import type { Outbound } from '../upstreams/http/outbound.ts';
import type { Lease } from '../upstreams/lease.ts';
import type { UpgradedSocket } from '../upstreams/transport/http1/upgraded-socket.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { openTunnel } from './open-tunnel.ts';
import { SocketHandshake } from './socket-handshake.ts';
import { SocketPlaces } from './socket-places.ts';
import type { WebSocketOptions } from './web-socket.schema.ts';

const DRAIN_MS = 2000;
const PROTOCOL = 'websocket';

/** A handshake that is to be forwarded. */
export interface ForwardedHandshake {
  readonly exchange: Exchange;
  readonly route: Route;
  readonly upstream: Upstream;
  /** The request as any other would go out. */
  readonly outbound: Outbound;
  readonly options: WebSocketOptions;
  /** Takes what speaks against it, and the answer of a service that refuses. */
  readonly sink: AnswerSink;
}

/** The WebSockets between clients and services that speak HTTP. */
@Injectable()
export class ForwardedSockets implements OnModuleInit, OnModuleDestroy {
  readonly #places = new SocketPlaces();
  readonly #open = new Set<SocketTunnel>();
  #upgrades: Upgrades | undefined = undefined;
  /** Those of the configuration that is in force. */
  #routes: LiveRoutes | undefined = undefined;
  #leaving = false;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.#upgrades = Upgrades.of(this.host.httpAdapter.getInstance<FastifyInstance>());
    // Once for all configurations: a claim stays with the server.
    this.#upgrades.claim((request) => {
      const { path: raw, query } = splitTarget(request.url ?? '/');
      // As the request itself is read; whether its route takes an encoded slash it is asked when it is matched.
      const path = normalizePath(raw, 'keep');
      if (path === undefined) return false;
      const asked = { path, query, host: hostOf(request.headers.host), method: 'GET', request };
      return this.#routes?.peek(asked)?.action.forwardsSockets === true;
    });
  }

  /** What is to be known of the configuration in force. */
  work(routes: LiveRoutes): LiveWork {
    return {
      start: () => {
        this.#routes = routes;
        this.#places.most = routes.config.webSocketLimit;
      },
    };
  }

  /** Sends all clients away over two seconds, so that they do not all come back at once. */
  async onModuleDestroy(): Promise<void> {
    this.#leaving = true;
    const all = Array.from(this.#open, (socket) => ({ socket }));
    await sendAway(all, { code: CloseCode.restart, reason: 'Service restart', overMs: DRAIN_MS });
  }

  /** Whether an exchange asks for a socket, and can be given one. */
  has({ request }: Exchange): boolean {
    return this.#upgrades?.has(request) === true;
  }

  /** Forwards a handshake whose stages were entered; all that comes of it but a socket goes to the sink. */
  answer(asked: ForwardedHandshake): void {
    const { exchange, route, options, outbound, upstream, sink } = asked;
    try {
      refuseForeignOrigin(exchange, options.origins);
      if (this.#leaving) throw new Problem('shutting-down');
      const offer = (this.#upgrades as Upgrades).offer(exchange);
      const handshake = new SocketHandshake(exchange, options.compression === 'pass');
      this.#places.take(exchange, route.id, options);
      const upgrade = {
        protocol: PROTOCOL,
        isOnlySuccess: !offer.mayRefuseWithSuccess,
        check: handshake.check.bind(handshake),
        switched: (socket: UpgradedSocket, lease: Lease) =>
          this.#accept(asked, { offer, handshake, socket, lease }),
      };
      const headers = handshake.fields(outbound.headers);
      const out = { ...outbound, headers, body: null, upgrade };
      new HttpForwarding(exchange, upstream, out, { sink, metrics: this.metrics }).start();
    } catch (error) {
      sink.fail(toProblem(error));
    }
  }

  #accept(asked: ForwardedHandshake, switched: Switched): void {
    const { exchange, sink } = asked;
    const { offer, handshake, socket, lease } = switched;
    // Whatever becomes of the socket, its target has done what it was asked for.
    exchange.onClosed(() => lease.release('success'));
    const { accepted } = handshake;
    let opened;
    try {
      if (this.#leaving) throw new Problem('shutting-down');
      opened = offer.accept(accepted);
    } catch (error) {
      socket.socket.destroy();
      return sink.fail(toProblem(error));
    }
    const tunnel = openTunnel(asked, opened, socket, accepted.extensions !== undefined);
    this.#open.add(tunnel);
    tunnel.once('close', () => this.#open.delete(tunnel));
    tunnel.start();
  }
}

interface Switched {
  readonly offer: SocketOffer;
  readonly handshake: SocketHandshake;
  readonly socket: UpgradedSocket;
  readonly lease: Lease;
}
