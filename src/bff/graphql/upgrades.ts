import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { handleProtocols } from 'graphql-ws';
import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { GraphqlSocketServer } from './graphql-socket.ts';

const SWITCHING_PROTOCOLS = 101;

interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** How upgrades are bounded. */
export interface UpgradeLimits {
  /** Most sockets at once. */
  readonly sockets: number;
  /** Largest message of a client, in bytes. */
  readonly messageBytes: number;
}

/**
 * Turns upgrade requests for one path into GraphQL sockets. They take the way of any request first, through the
 * hooks of open and the stages of the route, so that who may not call is told so in HTTP. Upgrades for other
 * paths are left to others, or stay plain requests when there are none.
 */
export class Upgrades {
  readonly #pending = new WeakMap<IncomingMessage, Upgrade>();
  readonly #path: string;
  readonly #sockets: GraphqlSocketServer;
  readonly #limits: UpgradeLimits;
  readonly #server: WebSocketServer;
  #leaving = false;

  constructor(path: string, sockets: GraphqlSocketServer, limits: UpgradeLimits) {
    this.#path = path;
    this.#sockets = sockets;
    this.#limits = limits;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: limits.messageBytes,
      // Compression holds memory for each socket, and mixes secrets with what an attacker chooses.
      perMessageDeflate: false,
      handleProtocols,
    });
  }

  /** Listens to the upgrades of a server. */
  attach(fastify: FastifyInstance): void {
    const server = fastify.server as Server & { shouldUpgradeCallback(request: IncomingMessage): boolean };
    const others = server.shouldUpgradeCallback;
    server.shouldUpgradeCallback = (request) =>
      this.#isOurs(request) || (server.listenerCount('upgrade') > 1 && others.call(server, request));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!this.#isOurs(request)) return;
      socket.on('error', () => socket.destroy());
      this.#pending.set(request, { socket, head });
      const response = new ServerResponse(request);
      response.assignSocket(socket as never);
      // Whatever is answered in HTTP is the last word on this connection.
      response.once('finish', () => socket.end());
      fastify.routing(request, response);
    });
  }

  /** Whether a request asks for a socket. */
  has(request: IncomingMessage): boolean {
    return this.#pending.has(request);
  }

  /** @throws {Problem} when there are too many sockets, or the gateway is on its way out. */
  accept({ raw, exchange }: FastifyRequest, reply: FastifyReply): void {
    const upgrade = this.#pending.get(raw);
    if (upgrade === undefined) throw new Problem('request-invalid');
    if (this.#leaving) throw new Problem('shutting-down');
    if (this.#sockets.size >= this.#limits.sockets)
      throw new Problem('rate-limited', { headers: { 'retry-after': '5' } });
    reply.hijack();
    this.#take(upgrade, raw, exchange);
  }

  /** Refuses new sockets and sends the others away. */
  async drain(overMs: number): Promise<void> {
    this.#leaving = true;
    await this.#sockets.drain(overMs);
  }

  #take({ socket, head }: Upgrade, request: IncomingMessage, exchange: Exchange): void {
    exchange.response.detachSocket(socket as never);
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      opened.once('close', () => {
        const { response } = exchange;
        response.statusCode = SWITCHING_PROTOCOLS;
        // The answer was the handshake, which somebody else wrote; the access line shall not call it cut.
        Object.defineProperty(response, 'writableFinished', { value: true });
        response.emit('close');
      });
      this.#sockets.open(opened, exchange);
    });
  }

  #isOurs({ url = '', headers }: IncomingMessage): boolean {
    const path = url.split('?', 1)[0];
    return path === this.#path && headers.upgrade?.toLowerCase() === 'websocket';
  }
}
