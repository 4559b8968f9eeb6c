import type { Socket } from 'node:net';
import { ConnectionEnded } from './http1-faults.ts';
import type { StreamedBody } from './carried-call.ts';

/** Who hears what becomes of a body. */
export interface SentBody {
  /** The service takes no more of it for now. */
  stalled(): void;
  /** It takes more. */
  flows(): void;
  /** All of it is written. */
  sent(): void;
  /** It ends before its end, or is longer than it says: what was sent cannot be completed. */
  failed(error: Error): void;
}

/**
 * Has a socket go on reading when the other side takes no more, as one does that refuses an upload before it has read it: a
 * socket of Node ends with the first write that fails, and what was said before that is lost unread.
 *
 * @param refused hears of a write that failed. @returns whether the socket reads on, and what is written is lost.
 */
export function outliveWrites(socket: Socket, refused: (error: Error) => boolean): void {
  const [write, writev] = [socket._write, socket._writev];
  type Done = (error?: Error | null) => void;
  const heard =
    (done: Done): Done =>
    (error) =>
      done(error && refused(error) ? null : error);
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, heard(done));
  socket._writev = (chunks, done) => writev?.call(socket, chunks, heard(done));
}

/** Sends a body while it comes, no faster than the service takes it, and framed anew (RFC 9112 sections 6.2 and 7.1). */
export class BodySender {
  readonly #socket: Socket;
  readonly #body: StreamedBody;
  readonly #host: SentBody;
  #left: number;
  #isOver = false;

  constructor(socket: Socket, body: StreamedBody, host: SentBody) {
    this.#socket = socket;
    this.#body = body;
    this.#host = host;
    this.#left = body.length ?? Infinity;
  }

  /** Sends what is there, and what comes. To be called right after the head was written. */
  start(): void {
    const { first, rest } = this.#body;
    this.#socket.on('drain', this.#resume);
    rest.on('data', this.#take).once('end', this.#end).once('error', this.#fail);
    for (const chunk of first) this.#take(chunk);
    if (rest.readableEnded) return this.#end();
    if (this.#socket.writableNeedDrain) this.#pause();
  }

  /** Reads no more of it: the answer is complete, or nobody waits for it. */
  stop(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#body.rest.destroy();
  }

  /** Sends no more of it, because nobody reads it; it is still there until {@link stop}. */
  rest(): void {
    this.#unhear();
    this.#body.rest.pause();
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#isOver || chunk.length === 0) return;
    this.#left -= chunk.length;
    if (this.#left < 0) return this.#fail(new Error('the body is longer than it says'));
    const socket = this.#socket;
    if (this.#body.length === undefined) {
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      socket.write('\r\n', 'latin1');
      socket.uncork();
    } else socket.write(chunk);
    if (socket.writableNeedDrain) this.#pause();
  };

  // All that the client sends may be here by now, so that nobody else watches whether anything moves.
  #pause(): void {
    this.#body.rest.pause();
    this.#host.stalled();
  }

  readonly #resume = (): void => {
    this.#host.flows();
    this.#body.rest.resume();
  };

  readonly #end = (): void => {
    if (this.#isOver) return;
    const { length } = this.#body;
    if (length !== undefined && this.#left > 0)
      return this.#fail(new Error('the body is shorter than it says'));
    this.#leave();
    if (length === undefined) this.#socket.write(`0\r\n${this.#trailers()}\r\n`, 'latin1');
    this.#host.sent();
  };

  readonly #fail = (error: Error): void => {
    if (this.#isOver) return;
    this.#leave();
    this.#host.failed(new ConnectionEnded('the body of the request broke off', error));
  };

  #trailers(): string {
    const fields = this.#body.trailers();
    let out = '';
    for (let i = 0; i < fields.length; i += 2) out += `${fields[i]}: ${fields[i + 1]}\r\n`;
    return out;
  }

  #leave(): void {
    this.#isOver = true;
    this.#unhear();
  }

  #unhear(): void {
    this.#socket.off('drain', this.#resume);
    this.#body.rest.off('data', this.#take).off('end', this.#end);
  }
}
