import type { WebSocket } from 'ws';
import { Problem } from '../../problems/problem.ts';
import type { Exchange } from '../exchange.ts';

/** Codes of RFC 6455 section 7.4.1, and ours above 4000: 4000 and the HTTP status of a problem. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  unsupported: 1003,
  internal: 1011,
  restart: 1012,
  ofStatus: (status: number): number => 4000 + status,
  unauthorized: 4401,
} as const;

const PING_EVERY_MS = 12_000;
/** Timers of Node hold no longer than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How long a socket may stay. */
export interface SocketTimes {
  readonly idleMs: number;
  readonly maxAgeMs: number;
}

/** One client over WebSocket: its exchange, and the timers that end it. */
export class LiveSocket {
  exchange: Exchange;
  readonly socket: WebSocket;
  readonly #idleMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ping: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined = undefined;
  #answered = true;
  #closed = false;

  constructor(socket: WebSocket, exchange: Exchange, { idleMs, maxAgeMs }: SocketTimes) {
    this.socket = socket;
    this.exchange = exchange;
    this.#idleMs = idleMs;
    this.after(maxAgeMs, CloseCode.restart, 'Too old');
    this.endWithCredential();
    this.rest();
    // A peer that vanished without a goodbye answers no ping; one that we do not listen to is not asked.
    socket.on('pong', () => (this.#answered = true));
    this.#ping = setInterval(() => {
      if (socket.isPaused) return;
      if (!this.#answered) return socket.terminate();
      this.#answered = false;
      socket.ping();
    }, PING_EVERY_MS);
  }

  /** Closes the socket after a time, unless it is closed by then. */
  after(ms: number, code: number, reason: string): void {
    if (ms === Infinity || this.#closed) return;
    this.#timers.add(setTimeout(() => this.socket.close(code, reason), ms));
  }

  /** Closes the socket when the token of its principal expires. */
  endWithCredential(): void {
    this.after(credentialLeftMs(this.exchange), CloseCode.unauthorized, 'The token has expired');
  }

  /** Starts the clock of idleness, from now. A socket that is closed has none. */
  rest(): void {
    if (this.#closed) return;
    if (this.#idle !== undefined) return void this.#idle.refresh();
    this.#idle = setTimeout(() => this.socket.close(CloseCode.goingAway, 'Idle'), this.#idleMs);
  }

  /** Stops the clock of idleness. */
  busy(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
  }

  /** Ends everything that runs for the socket; to be called when it has closed. */
  closed(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.busy();
    clearInterval(this.#ping);
    this.exchange.cancel(new Problem('client-closed'));
    this.exchange.close();
  }
}

/** How long the credential of a socket is good, in ms from now; `Infinity` for one without an end. */
export function credentialLeftMs({ principal }: Exchange): number {
  const exp = principal?.claims['exp'];
  if (typeof exp !== 'number') return Infinity;
  return Math.min(Math.max(0, exp * 1000 - Date.now()), LONGEST_TIMER_MS);
}

/** How a crowd of sockets is sent away. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
  /** Over how long, so that they do not all come back at once. */
  readonly overMs: number;
}

/** Closes sockets over a time; resolves when all are gone. Who does not say goodbye is not waited for. */
export async function sendAway(
  sockets: Iterable<{ readonly socket: WebSocket }>,
  { code, reason, overMs }: Farewell,
): Promise<void> {
  const leaving = Array.from(
    sockets,
    ({ socket }) =>
      new Promise<void>((resolve) => {
        const goodbye = setTimeout(() => socket.close(code, reason), Math.random() * overMs);
        socket.once('close', () => {
          // Who leaves before its turn keeps no timer, and so no process.
          clearTimeout(goodbye);
          resolve();
        });
        setTimeout(() => socket.terminate(), overMs + 1000).unref();
      }),
  );
  await Promise.all(leaving);
}
