import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { handleProtocols } from 'graphql-ws';
import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import { socketServerOptions, Upgrades } from '../../../sockets/upgrades.ts';
import { Problem } from '../../../problems/problem.ts';
import { renderProblem } from '../../../problems/render-problem.ts';
import { refuseForeignOrigin } from '../../../sockets/page-origin.ts';
import type { GraphqlSocketServer } from './graphql-socket.ts';
import { SocketAdmission, type AdmissionLimits } from './socket-admission.ts';

/** How upgrades are bounded. */
export interface UpgradeLimits extends AdmissionLimits {
  /** Largest message of a client, in bytes. */
  readonly messageBytes: number;
  /** Origins whose pages may open sockets without a credential in the handshake; ours always may. */
  readonly origins: readonly string[];
}

/** Turns upgrade requests for one path into GraphQL sockets. */
export class GraphqlUpgrades {
  readonly #upgrades: Upgrades;
  readonly #sockets: GraphqlSocketServer;
  readonly #limits: UpgradeLimits;
  readonly #admission: SocketAdmission;
  readonly #server: WebSocketServer;
  #leaving = false;

  constructor(fastify: FastifyInstance, path: string, sockets: GraphqlSocketServer, limits: UpgradeLimits) {
    this.#upgrades = Upgrades.of(fastify);
    this.#upgrades.claim(({ url = '' }) => url.split('?', 1)[0] === path);
    this.#sockets = sockets;
    this.#limits = limits;
    this.#admission = new SocketAdmission(limits);
    this.#server = new WebSocketServer({ ...socketServerOptions(limits.messageBytes), handleProtocols });
  }

  /** Whether a request asks for a socket. */
  has(request: IncomingMessage): boolean {
    return this.#upgrades.has(request);
  }

  /**
   * @throws {Problem} `permission-denied` for a page of another origin; other ones when there are too many sockets, or
   * the gateway is on its way out.
   */
  accept({ exchange }: FastifyRequest, reply: FastifyReply): void {
    // Before there is a socket: `connection_init` may bring no credential at all, and a certificate or the place in the
    // network that a browser lends to any page would do.
    refuseForeignOrigin(exchange, this.#limits.origins);
    if (this.#leaving) throw new Problem('shutting-down');
    const place = this.#admission.admit(exchange);
    // However it ends, also when the client has left before there is a socket.
    exchange.response.once('close', () => place.leave());
    reply.hijack();
    this.#upgrades.take(exchange, this.#server, {
      open: (socket, raw) => this.#sockets.open({ socket, raw, exchange, place }),
      refuse: (problem) => {
        // Not held until the client has taken the refusal.
        place.leave();
        renderProblem(exchange, problem);
      },
    });
  }

  /** Refuses new sockets and sends the others away. */
  async drain(overMs: number): Promise<void> {
    this.#leaving = true;
    await this.#sockets.drain(overMs);
  }
}
