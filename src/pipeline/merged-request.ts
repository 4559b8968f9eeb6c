import { IncomingMessage } from 'node:http';
import { Pieces } from '../exchange/pieces.ts';

/** Pieces of at least this size go on as they are. */
const WORTH_KEEPING_BYTES = 4 * 1024;
/** What one read of a socket may bring: 64 KiB. */
const MOST_HELD_BYTES = 64 * 1024;

/**
 * The request of every client. What one read of its socket brings of a body in tiny chunks is put together: each chunk
 * would be kept by itself, at several hundred bytes, and what may wait unread is counted in bytes of the body.
 */
export class MergedRequest extends IncomingMessage {
  #held: Pieces | undefined = undefined;
  #isDue = false;

  override push(piece: Buffer | null, encoding?: BufferEncoding): boolean {
    // Only the chunked coding brings many pieces at once.
    if (this.headers['transfer-encoding'] === undefined) return super.push(piece, encoding);
    if (piece !== null && piece.length < WORTH_KEEPING_BYTES) return this.#hold(piece);
    this.#handOn();
    return super.push(piece, encoding);
  }

  #hold(piece: Buffer): boolean {
    this.#held ??= new Pieces();
    this.#held.push(piece);
    // Many reads may come before the next turn, so that a fast client is held back by what is held, too.
    if (this.#held.length >= MOST_HELD_BYTES) return this.#handOn();
    // Ticks come between the chunks of one read.
    if (!this.#isDue) setImmediate(handOn, this);
    this.#isDue = true;
    return true;
  }

  /** Hands on what is held; the socket is not read on when enough waits for whoever reads the body. */
  handOnDue(): void {
    this.#isDue = false;
    if (!this.#handOn()) this.socket.pause();
  }

  #handOn(): boolean {
    if (this.#held === undefined || this.#held.length === 0) return true;
    const whole = this.#held.take();
    return this.destroyed || super.push(whole);
  }
}

function handOn(request: MergedRequest): void {
  request.handOnDue();
}
