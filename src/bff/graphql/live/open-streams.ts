import type { ServerResponse } from 'node:http';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { Problem } from '../../../problems/problem.ts';
import { endWithCredential } from '../../../sockets/credential-end.ts';
import { revocationCode } from '../../../sockets/live-socket.ts';

/** The parts of a stream, as the library makes them. */
export type StreamBody = AsyncGenerator<string, void, undefined>;

/** The streams that are being written: each to its client, at the pace of that client. */
export class OpenStreams {
  readonly #maxAgeMs: number;
  readonly #open = new Set<() => void>();

  /** @param maxAgeMs when a stream ends, whatever it does; the browser then opens another. */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Writes a stream until it ends: by itself, with its client, with its token, or at its age. */
  async write(body: StreamBody, raw: ServerResponse, exchange: Exchange): Promise<void> {
    const end = (): void => {
      void body.return();
    };
    const timer = this.#maxAgeMs === Infinity ? undefined : setTimeout(end, this.#maxAgeMs);
    const forget = endWithCredential(exchange, end);
    this.#open.add(end);
    raw.once('close', end);
    // Also where no operation runs that would end with it. What else ends an operation is told first.
    const endRevoked = (reason: Problem): void => {
      if (revocationCode(reason) !== undefined) end();
    };
    exchange.onCancel(endRevoked);
    try {
      for await (const part of body) {
        // Waits for the client: one that reads slowly slows its own events down.
        if (!raw.writable) break;
        if (!raw.write(part)) await drained(raw);
      }
    } finally {
      end();
      this.#open.delete(end);
      exchange.offCancel(endRevoked);
      clearTimeout(timer);
      forget();
      raw.end();
    }
  }

  /** Ends all over a time, so that they do not all come back at once. */
  async drain(overMs: number): Promise<void> {
    const leaving = [...this.#open].map(
      (end) =>
        new Promise<void>((resolve) => {
          setTimeout(() => resolve(end()), Math.random() * overMs);
        }),
    );
    await Promise.all(leaving);
  }
}

/** Resolves when a client has read what waits for it, or is gone. */
export function drained(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      raw.off('drain', done).off('close', done);
      resolve();
    };
    raw.on('drain', done).on('close', done);
  });
}
