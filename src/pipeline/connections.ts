import { Injectable } from '@nestjs/common';
import type { Server } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import type { Exchange } from '../exchange/exchange.ts';
import { answerOn } from '../sockets/last-word.ts';

/** How many turns of the event loop are waited for connections that the system has accepted already. */
const MOST_TURNS = 50;

/**
 * The connections of the clients' listener on their way out. A client that was told `Connection: close` does not ask
 * again; one whose answer began before could not be told. Its connection stays for a moment, so that the request that
 * may be on its way is answered instead of reset, and that answer tells it (RFC 9112 section 9.6).
 */
@Injectable()
export class Connections {
  readonly #open = new Set<Socket>();
  /** Connections that nobody has taken over yet: their handshake, or what they begin with, is not complete. */
  readonly #greeting = new Set<Socket>();
  /** Connections that were told nothing, with the end of their moment. */
  readonly #untold = new Map<Socket, NodeJS.Timeout>();
  #graceMs = 0;
  #departs = false;
  #whenEmpty: (() => void) | undefined = undefined;
  #whenTold: (() => void) | undefined = undefined;

  /** Watches the connections of a server, and has it spare those whose clients may be about to ask when it closes. */
  watch(server: Server): void {
    const closeIdle = server.closeIdleConnections.bind(server);
    // A server that closes ends all that are at rest, also one whose answer ended just now, and whose client knows nothing,
    // and one that has just been opened, whose first request may have arrived and not been read.
    server.closeIdleConnections = () => {
      const spared = [...this.#untold.keys(), ...this.#unused()];
      for (const socket of spared) socket.destroy = () => socket;
      try {
        closeIdle();
      } finally {
        // Its own again is that of its class.
        for (const socket of spared) Reflect.deleteProperty(socket, 'destroy');
      }
      // One listener that a configuration leaves out is no reason to end what others have; its own ends with its time for heads.
      if (this.#departs) this.endUnused();
    };
    server.on('connection', (socket) => this.add(socket));
  }

  /** Watches a connection, whoever has accepted it. */
  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#closed(socket));
  }

  /** Watches a connection whose handshake, or what goes before HTTP, is still to come. */
  greets(socket: Socket): void {
    this.add(socket);
    this.#greeting.add(socket);
  }

  /** A connection has been taken over by a server, which knows what is said on it. */
  taken(socket: Socket): void {
    this.#greeting.delete(socket);
  }

  /** From now on connections end. @param graceMs how long one that was told nothing may stay idle. */
  depart(graceMs: number): void {
    this.#graceMs = graceMs;
    this.#departs = true;
  }

  /** A request came on a connection; its answer will tell the client. To be called while the gateway departs. */
  arrived({ request: { socket } }: Exchange): void {
    this.#forget(socket);
  }

  /** An exchange has ended while the gateway departs. */
  ended({ request: { socket }, response }: Exchange): void {
    if (!response.shouldKeepAlive || socket.destroyed) return;
    this.#forget(socket);
    this.#untold.set(
      socket,
      setTimeout(() => setImmediate(() => this.#endUntold(socket)), this.#graceMs),
    );
  }

  /** Resolves once no connection waits for its moment to end: at most a moment after the last exchange. */
  async told(): Promise<void> {
    if (this.#untold.size > 0) await new Promise<void>((resolve) => (this.#whenTold = resolve));
  }

  /**
   * Ends, after a moment, what has no exchange by then: what has been opened and never used, such as what browsers open in
   * advance, and what has sent only a part of a handshake or of a head. Nobody else looks at the time of those any more.
   */
  endUnused(): void {
    const silent = [...this.#open].filter((socket) => this.#asksNothing(socket));
    if (silent.length === 0) return;
    const end = (): void => {
      for (const socket of silent)
        if (this.#asksNothing(socket) && !this.#untold.has(socket)) socket.destroy();
    };
    setTimeout(() => setImmediate(end), this.#graceMs).unref();
  }

  /** Cuts off everything, sockets that were upgraded too. */
  cutOff(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Resolves once all connections are closed, and so all exchanges. */
  async closed(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#whenEmpty = resolve));
  }

  // A loop that was held up runs what is overdue before it reads: what has arrived by then is read first.
  #endUntold(socket: Socket): void {
    if (this.#untold.has(socket)) socket.destroy();
  }

  #unused(): readonly Socket[] {
    return [...this.#open].filter(isUnused);
  }

  #asksNothing(socket: Socket): boolean {
    return isUnused(socket) || this.#greeting.has(socket) || isBetweenHeads(socket);
  }

  #forget(socket: Socket): void {
    clearTimeout(this.#untold.get(socket));
    if (this.#untold.delete(socket) && this.#untold.size === 0) this.#whenTold?.();
  }

  #closed(socket: Socket): void {
    this.#open.delete(socket);
    this.#greeting.delete(socket);
    this.#forget(socket);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }
}

function isUnused(socket: Socket): boolean {
  return socket.bytesRead === 0;
}

/** Whether a connection of HTTP/1.1 has no answer due, so that at most a part of the next head has come. */
function isBetweenHeads(socket: Socket): boolean {
  // As `node:http` keeps it while the connection is its own; what was upgraded has no parser any more.
  const { parser } = socket as Socket & { readonly parser?: object | null };
  return parser !== undefined && parser !== null && answerOn(socket) === undefined;
}

/**
 * Calls back as soon as no connection waits to be taken: when a listener closes, the system resets those that do.
 * Bounded, because under load there is always another one.
 */
export function whenAccepted(server: NetServer, done: () => void, turns = MOST_TURNS): void {
  let came = false;
  const note = (): void => void (came = true);
  server.once('connection', note);
  setImmediate(() => {
    server.off('connection', note);
    if (came && turns > 0) whenAccepted(server, done, turns - 1);
    else done();
  });
}
