import type { FastifyInstance } from 'fastify';
import { ServerResponse, validateHeaderValue, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type {} from '../exchange/exchange-of.ts';
import { Problem } from '../problems/problem.ts';
import { announcesBody, toProblem } from '../problems/render-problem.ts';
import { originForm } from '../exchange/absolute-form.ts';
import { noteLiftedToken } from '../exchange/lifted-token.ts';
import type { TunnelResponse } from '../exchange/tunnel-response.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { EndStream } from './byte-end.ts';
import { isOfHandshake } from './handshake-fields.ts';
import { answerOn, endConnection } from './last-word.ts';
import type { SocketOffer } from './socket-offer.ts';
import { bearerOfProtocols } from './socket-protocols.ts';
import { acceptedFields, discardHead, TunnelOffer, UNUSED_KEY } from './tunnel-offer.ts';
import { UpgradeOffer } from './upgrade-offer.ts';

const SWITCHING_PROTOCOLS = 101;
const OK = 200;
/** How long a client may read what waits for it, and say goodbye, once we have. */
const CLOSE_TIMEOUT_MS = 10_000;

const NOTHING = Buffer.alloc(0);

/** What waits for its socket: an upgrade of HTTP/1.1, or a request over HTTP/2 for a tunnel. */
interface Upgrade {
  readonly socket: EndStream;
  readonly head: Buffer;
  readonly tunnel: TunnelResponse | undefined;
}

type UpgradingServer = Server & { shouldUpgradeCallback(request: IncomingMessage): boolean };

const known = new WeakMap<Server, Upgrades>();

/**
 * The upgrades of one server to WebSocket. They take the way of any request first, through the hooks of open and the
 * stages of their route, so that who may not call is told so in HTTP. Upgrades that no door claims are left to
 * others, or stay plain requests when there are none.
 */
export class Upgrades {
  readonly #claims: ((request: IncomingMessage) => boolean)[] = [];
  readonly #pending = new WeakMap<IncomingMessage, Upgrade>();

  /** The upgrades of a server: the same for every door. */
  static of(fastify: FastifyInstance): Upgrades {
    const server = fastify.server as UpgradingServer;
    let upgrades = known.get(server);
    if (upgrades === undefined) {
      known.set(server, (upgrades = new Upgrades()));
      upgrades.#attach(fastify, server);
    }
    return upgrades;
  }

  /** Adds a door; the first that claims a request gets it. The request is a GET that asks for a WebSocket. */
  claim(claims: (request: IncomingMessage) => boolean): void {
    this.#claims.push(claims);
  }

  /** Whether a request asks for a socket, and can be given one. */
  has(request: IncomingMessage): boolean {
    return this.#pending.has(request);
  }

  /**
   * Gives an exchange its socket. From here on its access line says 101, over HTTP/2 200, and comes when the socket closes. Nothing
   * else may answer it; where the handshake itself is no good, or its answer cannot be made, `refuse` does, in HTTP.
   */
  take(
    exchange: Exchange,
    server: WebSocketServer,
    { open, refuse }: { open(socket: WebSocket, raw: EndStream): void; refuse(problem: Problem): void },
  ): void {
    const { request } = exchange;
    const upgrade = this.#pending.get(request);
    if (upgrade === undefined) return refuse(malformed('There is nothing to upgrade.'));
    this.#pending.delete(request);
    const { socket, head, tunnel } = upgrade;
    // The library asks for one, and HTTP/2 has none (RFC 8441 section 5).
    if (tunnel !== undefined) request.headers['sec-websocket-key'] = UNUSED_KEY;
    let opened = false;
    const onFault = (error: Error, _socket: Duplex, asked: IncomingMessage): void => {
      if (asked === request) refuse(malformed(error.message));
    };
    const onHead = (lines: string[], asked: IncomingMessage): void => {
      if (asked !== request) return;
      const own = handshakeFields(exchange, tunnel === undefined ? SWITCHING_PROTOCOLS : OK);
      if (tunnel === undefined) {
        for (let i = 0; i < own.length; i += 2) lines.push(`${own[i]}: ${own[i + 1]}`);
        exchange.response.detachSocket(socket as never);
      } else {
        tunnel.openTunnel([...own, ...acceptedFields(lines)]);
        discardHead(socket);
      }
      opened = true;
    };
    server.on('wsClientError', onFault).on('headers', onHead);
    try {
      // Calls back before it returns.
      server.handleUpgrade(request, socket, head, (webSocket) => {
        this.#watch(webSocket, exchange);
        open(webSocket, socket);
      });
    } catch (error) {
      if (opened) throw error;
      refuse(toProblem(error));
    } finally {
      server.off('wsClientError', onFault).off('headers', onHead);
      if (!opened) this.#pending.set(request, upgrade);
    }
  }

  /**
   * The handshake of an exchange, for who has somebody else answer it.
   *
   * @throws {Problem} `upgrade-required` or `request-malformed` when it is no good.
   */
  offer(exchange: Exchange): SocketOffer {
    const upgrade = this.#pending.get(exchange.request);
    if (upgrade === undefined) throw malformed('There is nothing to upgrade.');
    if (upgrade.tunnel !== undefined) return new TunnelOffer(exchange, upgrade.tunnel);
    return new UpgradeOffer(exchange, upgrade);
  }

  #watch(socket: WebSocket, exchange: Exchange): void {
    socket.once('close', socketOpened(exchange));
    // A frame that is too large, or none at all: the library closes the socket itself, with the code for it.
    socket.on('error', () => {});
  }

  #attach(fastify: FastifyInstance, server: UpgradingServer): void {
    const others = server.shouldUpgradeCallback;
    server.shouldUpgradeCallback = (request) => {
      const isClaimed = this.#isClaimed(request);
      // Others know connections only.
      if (request.httpVersionMajor === 2) return isClaimed;
      const wanted = isClaimed || (server.listenerCount('upgrade') > 1 && others.call(server, request));
      if (!wanted || hasItsConnection(request)) return wanted;
      misplaced.add(request);
      return false;
    };
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (!this.#isClaimed(request)) return;
      socket.on('error', () => socket.destroy());
      this.#pending.set(request, { socket, head, tunnel: undefined });
      addBearer(request);
      const response = new ServerResponse(request);
      response.assignSocket(socket as never);
      // Whatever is answered in HTTP is the last word on this connection.
      response.shouldKeepAlive = false;
      response.once('finish', () => endConnection(socket));
      // Nobody reads the connection of a handshake that waits: without this, who leaves then keeps its place, and gets a socket.
      socket.once('end', () => {
        if (response.socket === socket && !response.writableEnded) socket.destroy();
      });
      fastify.routing(request, response);
    });
    server.on('tunnel', (request: IncomingMessage, response: TunnelResponse) => {
      this.#pending.set(request, { socket: response.tunnel, head: NOTHING, tunnel: response });
      addBearer(request);
      fastify.routing(request, response);
    });
  }

  #isClaimed(request: IncomingMessage): boolean {
    const { headers, method, httpVersion } = request;
    // RFC 9110 section 7.8: the field means nothing in HTTP/1.0.
    if (httpVersion === '1.0' || method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket')
      return false;
    // As doors look for it; the open stage is what refuses a host that is none.
    request.url = originForm(request);
    // As routes spell it.
    headers.upgrade = 'websocket';
    return this.#claims.some((claims) => claims(request));
  }
}

const misplaced = new WeakSet<IncomingMessage>();

/**
 * Whether a request asks for a socket where there can be none. It is answered as a plain one, in its turn (RFC 9110
 * section 7.8), and its answer ends the connection: Node's parser drops what comes in one piece with it.
 */
export function isMisplacedUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade !== undefined && misplaced.has(request);
}

// Nothing else may be said on the connection of an upgrade: neither an earlier answer that is still under way, into which
// the handshake would be written, nor a body, for which Node would hand over something that is no connection.
function hasItsConnection(request: IncomingMessage): boolean {
  return answerOn(request.socket) === undefined && !announcesBody(request);
}

/** Counts a socket in, whose handshake was answered. @returns what is to be called when it has ended: its exchange closes. */
export function socketOpened({ response, route }: Exchange): () => void {
  route?.metrics.socketOpened();
  return () => {
    route?.metrics.socketClosed();
    // Where the library has written it, the response does not know.
    if (!response.headersSent) response.statusCode = SWITCHING_PROTOCOLS;
    // The answer was the handshake, which somebody else wrote; the access line shall not call it cut.
    Object.defineProperty(response, 'writableFinished', { value: true });
    response.emit('close');
  };
}

/** The options of a WebSocket server whose sockets go through {@link Upgrades}. */
export function socketServerOptions(maxPayload: number): {
  readonly noServer: true;
  readonly clientTracking: false;
  readonly maxPayload: number;
  readonly perMessageDeflate: false;
  readonly autoPong: false;
  readonly allowSynchronousEvents: false;
  readonly closeTimeout: number;
} {
  return {
    noServer: true,
    clientTracking: false,
    maxPayload,
    // Compression holds memory for each socket, and mixes secrets with what an attacker chooses.
    perMessageDeflate: false,
    // The flow of a socket answers pings: the library would gather answers for who reads none.
    autoPong: false,
    // One message of a socket in a turn of the loop: whoever sends thousands at once waits for everybody else's turn.
    allowSynchronousEvents: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
}

/** What stages have to say to the client. @throws what they throw, or that it cannot be sent. */
function handshakeFields(exchange: Exchange, status: number): string[] {
  const head = { status, headers: [] as string[] };
  exchange.finishHead(head, 'handshake');
  const fields = [];
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i] as string;
    const value = head.headers[i + 1] as string;
    if (isOfHandshake(name)) continue;
    // The library writes the lines as they are.
    validateHeaderValue(name, value);
    fields.push(name, value);
  }
  return fields;
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', { detail });
}

// Browsers can send no header field with a handshake. What they can send is read as if it had been one.
function addBearer(request: IncomingMessage): void {
  const { headers, rawHeaders } = request;
  if (headers.authorization !== undefined || headers['x-api-key'] !== undefined) return;
  const token = bearerOfProtocols(headers['sec-websocket-protocol']);
  if (token === undefined) return;
  headers.authorization = `Bearer ${token}`;
  rawHeaders.push('Authorization', headers.authorization);
  noteLiftedToken(request);
}
