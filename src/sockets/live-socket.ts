import type { WebSocket } from 'ws';
import { Problem } from '../problems/problem.ts';
import type { EndStream } from './byte-end.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { EXPIRED, endWithCredential } from './credential-end.ts';
import { SocketFlow, type HeldBy } from './socket-flow.ts';

/** Codes of RFC 6455 section 7.4.1, and ours above 4000: 4000 and the HTTP status of a problem. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  unsupported: 1003,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  restart: 1012,
  tryAgainLater: 1013,
  ofStatus: (status: number): number => 4000 + status,
  unauthorized: 4401,
} as const;

const PING_EVERY_MS = 12_000;
/** How long a client has to answer our goodbye. */
const GRACE_MS = 1000;

/** How long a socket may stay. */
export interface SocketTimes {
  readonly idleMs: number;
  readonly maxAgeMs: number;
  /** How long a client may read nothing of what waits for it, and a target take nothing of what a client says. */
  readonly stalledMs: number;
}

/** One client over WebSocket: its exchange, and the timers that end it. */
export class LiveSocket {
  exchange: Exchange;
  readonly socket: WebSocket;
  /** What is sent goes through it, so that the client is not read faster than it reads. */
  readonly flow: SocketFlow;
  readonly #idleMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ping: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined = undefined;
  #answered = true;
  #closed = false;
  /** Ends the wait for the end of its credential. */
  #forget: (() => void) | undefined = undefined;

  /** @param raw the connection below the socket. */
  constructor(socket: WebSocket, raw: EndStream, exchange: Exchange, times: SocketTimes) {
    const { idleMs, maxAgeMs, stalledMs } = times;
    this.socket = socket;
    this.exchange = exchange;
    this.flow = new SocketFlow(socket, raw, stalledMs, (by) => this.#stalled(by));
    this.#idleMs = idleMs;
    this.after(maxAgeMs, CloseCode.restart, 'Too old');
    this.endWithCredential();
    this.rest();
    socket.on('pong', () => (this.#answered = true));
    this.#ping = setInterval(() => this.#askForLife(), PING_EVERY_MS);
  }

  /** Closes the socket after a time, unless it is closed by then. */
  after(ms: number, code: number, reason: string): void {
    if (ms === Infinity || this.#closed) return;
    this.#timers.add(setTimeout(() => this.end(code, reason), ms));
  }

  /** Says goodbye, and waits a second for who has to say it too: a client that does not stays no longer. */
  end(code: number, reason: string): void {
    this.socket.close(code, reason);
    this.#letGo();
  }

  /** Closes the socket when the token of its principal expires or is revoked. */
  endWithCredential(): void {
    this.#forget?.();
    this.#forget = endWithCredential(this.exchange, () => this.end(CloseCode.unauthorized, EXPIRED));
    this.exchange.onCancel((reason) => {
      const code = revocationCode(reason);
      // After those who have something to say before.
      if (code !== undefined) setImmediate(() => this.end(code, reason.code));
    });
  }

  /** Starts the clock of idleness, from now. A socket that is closed has none. */
  rest(): void {
    if (this.#closed) return;
    if (this.#idle !== undefined) return void this.#idle.refresh();
    this.#idle = setTimeout(() => this.end(CloseCode.goingAway, 'Idle'), this.#idleMs);
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
    this.#forget?.();
    this.busy();
    clearInterval(this.#ping);
    this.flow.end();
    this.exchange.cancel(new Problem('client-closed'));
    this.exchange.close();
  }

  // A peer that vanished without a goodbye answers no ping.
  #askForLife(): void {
    const isHeard = !this.socket.isPaused;
    if (isHeard && !this.#answered) return this.socket.terminate();
    // One that we do not listen to cannot be heard; writing to it still shows when it has gone.
    this.#answered = !isHeard;
    if (!this.flow.isHeld('client')) this.socket.ping();
  }

  #stalled(by: HeldBy): void {
    // No goodbye would get through to a client that reads nothing.
    if (by === 'client') return this.socket.terminate();
    this.exchange.cancel(new Problem('upstream-timeout'));
    // The client may have gone long ago: nobody was listening.
    this.#letGo();
  }

  #letGo(): void {
    if (this.#closed) return;
    // Its goodbye is still to be read.
    this.flow.end();
    this.#timers.add(setTimeout(() => this.socket.terminate(), GRACE_MS));
  }
}

/** What became of a credential, or of where it may be used from, while its socket was open. */
const LOST_CREDENTIAL: ReadonlySet<string> = new Set([
  'credentials-revoked',
  'credentials-expired',
  'credentials-invalid',
  'address-denied',
]);

/** The code that a socket closes with whose exchange ends with its credential; undefined where it ends by something else. */
export function revocationCode({ code, status }: Problem): number | undefined {
  if (LOST_CREDENTIAL.has(code)) return CloseCode.ofStatus(status);
  // Nobody knows whether it was revoked; in a moment somebody may.
  return code === 'identity-unavailable' ? CloseCode.tryAgainLater : undefined;
}

/** How a crowd of sockets is sent away. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
  /** Over how long, so that they do not all come back at once. */
  readonly overMs: number;
}

/** A socket that can be sent away. */
export interface Leaver {
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** Closes sockets over a time; resolves when all are gone. Who does not say goodbye is not waited for. */
export async function sendAway(
  sockets: Iterable<{ readonly socket: Leaver }>,
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
