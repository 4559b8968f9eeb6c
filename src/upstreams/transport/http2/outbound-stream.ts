import type { IncomingHttpHeaders } from 'node:http';
import { constants } from 'node:http2';
import { BoundedBody } from '../../../exchange/bounded-body.ts';
import type { AnswerReader } from '../answer-reader.ts';
import { StreamReset } from './http2-faults.ts';

/** Interim heads before one that counts. */
const MAX_INTERIM_HEADS = 64;
const NO_TRAILERS: IncomingHttpHeaders = Object.freeze({});

/** What is sent. */
export interface OutboundMessage {
  /** A header block. */
  readonly head: Buffer;
  readonly body: Buffer;
}

/** Who carries a stream at the moment: a queue or a connection. */
export interface StreamCarrier {
  /** Lets go of a stream that nobody waits for any more. */
  forget(stream: OutboundStream, http2ErrorCode: number): void;
}

/** One request and its answer on a connection: the states of RFC 9113 section 5.1 that a client meets. */
export class OutboundStream {
  readonly message: OutboundMessage;
  /** Its number on its connection; 0 while it has none. */
  id = 0;
  carrier: StreamCarrier | undefined = undefined;
  /** How much more of the body may be sent; may be negative (RFC 9113 section 6.9.2). */
  window = 0;
  /** How much of the body has been sent. */
  sent = 0;
  /** Whether a target has refused it before. */
  wasRefused = false;
  readonly #reader: AnswerReader;
  readonly #body: BoundedBody;
  #hasHead = false;
  #interimHeads = 0;
  #told = false;

  constructor(message: OutboundMessage, reader: AnswerReader, maxBytes: number) {
    this.message = message;
    this.#reader = reader;
    this.#body = new BoundedBody(maxBytes);
  }

  /** Stops it; the reader hears nothing more. */
  abandon(): void {
    this.#end(constants.NGHTTP2_CANCEL);
  }

  /** Takes a head, or the trailers. @throws {StreamReset} when they are out of place. */
  heard(fields: IncomingHttpHeaders, isEnd: boolean): void {
    if (this.#told) return;
    if (this.#hasHead) {
      if (!isEnd) throw malformed('a second head');
      return this.#finish(fields);
    }
    const status = Number(fields[':status']);
    if (!(status >= 100 && status <= 999)) throw malformed('a head without a status');
    if (status < 200) {
      if (isEnd) throw malformed('an interim head as the end');
      this.#interimHeads += 1;
      if (this.#interimHeads > MAX_INTERIM_HEADS) throw malformed('no head after its interim ones');
      return;
    }
    this.#hasHead = true;
    if (!this.#reader.head(status, fields)) this.abandon();
    else if (isEnd) this.#finish(NO_TRAILERS);
  }

  /** Takes a piece of the body; it is copied. @throws {StreamReset} when it is out of place. */
  took(piece: Buffer, isEnd: boolean): void {
    if (this.#told) return;
    if (!this.#hasHead) throw malformed('a body without a head');
    if (!this.#body.counts(piece.length)) {
      this.#end(constants.NGHTTP2_CANCEL);
      this.#reader.oversized();
      return;
    }
    this.#body.keep(piece);
    if (isEnd) this.#finish(NO_TRAILERS);
  }

  /** Ends it without an answer. */
  broke(error: Error): void {
    if (this.#told) return;
    this.#told = true;
    this.carrier = undefined;
    this.#reader.broke(error);
  }

  #finish(trailers: IncomingHttpHeaders): void {
    this.#end(constants.NGHTTP2_NO_ERROR);
    this.#reader.ended(this.#body.whole(), trailers);
  }

  #end(http2ErrorCode: number): void {
    if (this.#told) return;
    this.#told = true;
    const { carrier } = this;
    this.carrier = undefined;
    carrier?.forget(this, http2ErrorCode);
  }
}

function malformed(what: string): StreamReset {
  return new StreamReset(constants.NGHTTP2_PROTOCOL_ERROR, `the answer has ${what}`);
}
