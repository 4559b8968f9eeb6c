import type { IncomingHttpHeaders } from 'node:http';
import { constants } from 'node:http2';
import { Pieces } from '../../../exchange/pieces.ts';
import { CarriedStream } from './carried-stream.ts';
import { StreamReset } from './http2-faults.ts';
import type { StreamedBody } from './streamed-body.ts';

/** Who hears an answer piece by piece. */
export interface DuplexReader {
  head(status: number, fields: IncomingHttpHeaders): void;
  /**
   * Takes a piece, which is only valid until this returns.
   *
   * @returns false when nothing more is wanted until {@link DuplexStream.resume}.
   */
  data(piece: Buffer): boolean;
  ended(trailers: IncomingHttpHeaders): void;
  /** Hears that the connection or the stream failed, before the answer or within it. */
  broke(error: Error): void;
  /** Hears that all that there was of the request is sent. */
  drained(): void;
}

/**
 * A request and an answer that both stream, each at the pace of whoever takes it: the other side may send as much as a
 * window before what it has sent was taken (RFC 9113 section 5.2), and no more than that is held.
 */
export class DuplexStream extends CarriedStream {
  readonly #body: StreamedBody;
  readonly #reader: DuplexReader;
  readonly #windowBytes: number;
  /** What the other side may still send. */
  #credit: number;
  /** What was taken, and the other side does not know of yet. */
  #untold = 0;
  #isPaused = false;
  #isFull = false;
  /** What came while nothing was wanted, what it has used up of the window, and how the answer ended. */
  #held: Pieces | undefined = undefined;
  #heldWeight = 0;
  #trailers: IncomingHttpHeaders | undefined = undefined;

  constructor(head: Buffer, body: StreamedBody, reader: DuplexReader, windowBytes: number) {
    super(head);
    this.#body = body;
    this.#reader = reader;
    this.#windowBytes = this.#credit = windowBytes;
  }

  override get isStreamed(): boolean {
    return true;
  }

  get available(): number {
    return this.#body.available;
  }

  get isSpent(): boolean {
    return this.#body.isSpent;
  }

  take(most: number): Buffer {
    return this.#body.take(most);
  }

  /** Sends what was added to the body. @returns false when it has to wait; {@link DuplexReader.drained} tells when it is sent. */
  send(): boolean {
    this.carrier?.sendMore?.(this);
    this.#isFull = this.available > 0;
    return !this.#isFull;
  }

  /** Takes what was held, and what comes from now on. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const held = this.#held?.take();
    const weight = this.#heldWeight;
    this.#heldWeight = 0;
    if (held !== undefined && held.length > 0) this.#hand(held, weight);
    else this.#consumed(weight);
    if (!this.#isPaused && this.#trailers !== undefined) this.#reader.ended(this.#trailers);
  }

  override drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#reader.drained();
  }

  protected rewound(): boolean {
    return this.#credit === this.#windowBytes && this.#body.rewind();
  }

  protected answered(status: number, fields: IncomingHttpHeaders): boolean {
    this.#reader.head(status, fields);
    return true;
  }

  protected taken(piece: Buffer, weight: number): boolean {
    this.#credit -= weight;
    // Fails closed: what nobody has allowed is not held.
    if (this.#credit < 0)
      throw new StreamReset(constants.NGHTTP2_FLOW_CONTROL_ERROR, 'the target sends more than it may');
    if (this.#isPaused) {
      (this.#held ??= new Pieces()).push(piece);
      this.#heldWeight += weight;
    } else if (piece.length > 0) this.#hand(piece, weight);
    else this.#consumed(weight);
    return true;
  }

  protected finished(trailers: IncomingHttpHeaders): void {
    if (this.#isPaused) this.#trailers = trailers;
    else this.#reader.ended(trailers);
  }

  protected failed(error: Error): void {
    this.#reader.broke(error);
  }

  #hand(piece: Buffer, weight: number): void {
    // Whoever takes the last of it before a pause has taken it all the same: what comes next is what waits.
    if (!this.#reader.data(piece)) this.#isPaused = true;
    this.#consumed(weight);
  }

  #consumed(weight: number): void {
    this.#untold += weight;
    if (this.#isPaused || this.#untold < this.#windowBytes / 2) return;
    this.#credit += this.#untold;
    this.carrier?.widen?.(this, this.#untold);
    this.#untold = 0;
  }
}
