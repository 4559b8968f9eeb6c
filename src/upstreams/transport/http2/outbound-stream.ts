import type { IncomingHttpHeaders } from 'node:http';
import { constants } from 'node:http2';
import { BoundedBody } from '../../../exchange/bounded-body.ts';
import type { AnswerReader } from '../answer-reader.ts';
import { CarriedStream } from './carried-stream.ts';

/** What is sent. */
export interface OutboundMessage {
  /** A header block. */
  readonly head: Buffer;
  readonly body: Buffer;
}

/** A request that is there as a whole, and an answer that is awaited as a whole. */
export class OutboundStream extends CarriedStream {
  readonly #sent: Buffer;
  readonly #reader: AnswerReader;
  readonly #body: BoundedBody;
  /** How much of the request's body was taken. */
  #at = 0;

  constructor({ head, body }: OutboundMessage, reader: AnswerReader, maxBytes: number) {
    super(head);
    this.#sent = body;
    this.#reader = reader;
    this.#body = new BoundedBody(maxBytes);
  }

  get available(): number {
    return this.#sent.length - this.#at;
  }

  get isSpent(): boolean {
    return this.#at === this.#sent.length;
  }

  take(most: number): Buffer {
    const piece = this.#sent.subarray(this.#at, this.#at + most);
    this.#at += piece.length;
    return piece;
  }

  protected rewound(): boolean {
    this.#at = 0;
    return true;
  }

  protected answered(status: number, fields: IncomingHttpHeaders): boolean {
    return this.#reader.head(status, fields);
  }

  protected taken(piece: Buffer): boolean {
    if (!this.#body.counts(piece.length)) {
      this.stop(constants.NGHTTP2_CANCEL);
      this.#reader.oversized();
      return false;
    }
    this.#body.keep(piece);
    return true;
  }

  protected finished(trailers: IncomingHttpHeaders): void {
    this.#reader.ended(this.#body.whole(), trailers);
  }

  protected failed(error: Error): void {
    this.#reader.broke(error);
  }
}
