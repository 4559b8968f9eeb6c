import type { Duplex } from 'node:stream';
import type { OpenedStream } from './socket-offer.ts';

/** A connection that bytes are written to, and that can be made to wait. */
export type EndStream = Duplex & { setTimeout(ms: number): unknown };

/** Who reads one end. */
export interface EndReader {
  /** Takes bytes; they are only valid until it returns. */
  take(bytes: Buffer): void;
  /** Hears that nothing more comes. */
  ended(): void;
  /** Hears that it is closed both ways. */
  closed(): void;
}

/** One of the two connections of a tunnel. */
export interface ByteEnd {
  readonly socket: EndStream;
  /** Starts to read it. To be called once. */
  use(reader: EndReader): void;
}

/** The connection of a client, as an end. */
export class ClientEnd implements ByteEnd {
  readonly socket: EndStream;
  readonly #first: Buffer;

  constructor({ stream, first }: OpenedStream) {
    this.socket = stream as EndStream;
    this.#first = first;
  }

  use(reader: EndReader): void {
    const { socket } = this;
    socket.once('end', () => reader.ended());
    socket.once('close', () => reader.closed());
    if (socket.destroyed) return void setImmediate(() => reader.closed());
    // It has said so before anybody listened.
    if (socket.readableEnded) setImmediate(() => reader.ended());
    if (this.#first.length > 0) reader.take(this.#first);
    socket.on('data', (bytes: Buffer) => reader.take(bytes));
  }
}
