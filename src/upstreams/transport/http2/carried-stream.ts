import type { IncomingHttpHeaders } from 'node:http';
import { constants } from 'node:http2';
import { StreamReset } from './http2-faults.ts';

/** Interim heads before one that counts. */
const MAX_INTERIM_HEADS = 64;
const NO_TRAILERS: IncomingHttpHeaders = Object.freeze({});

/** Who carries a stream at the moment: a queue or a connection. */
export interface StreamCarrier {
  /** Lets go of a stream that nobody waits for any more. */
  forget(stream: CarriedStream, http2ErrorCode: number): void;
  /** Hears that there is more to send. */
  sendMore?(stream: CarriedStream): void;
  /** Lets the other side send more of the answer. */
  widen?(stream: CarriedStream, bytes: number): void;
}

/** One request and its answer on a connection: the states of RFC 9113 section 5.1 that a client meets. */
export abstract class CarriedStream {
  /** A header block. */
  readonly head: Buffer;
  /** Its number on its connection; 0 while it has none. */
  id = 0;
  carrier: StreamCarrier | undefined = undefined;
  /** How much more of the body may be sent; may be negative (RFC 9113 section 6.9.2). */
  window = 0;
  /** Whether the other side was told that nothing more is sent. */
  isEndSent = false;
  /** Whether a target has refused it before. */
  wasRefused = false;
  #hasHead = false;
  #interimHeads = 0;
  #told = false;

  constructor(head: Buffer) {
    this.head = head;
  }

  /** How many bytes of the body are there to be sent. */
  abstract get available(): number;
  /** Whether all of the body was taken, and nothing more comes. */
  abstract get isSpent(): boolean;
  /** Takes at most so many bytes of the body; there are some. */
  abstract take(most: number): Buffer;
  /** Begins the body again; false when its first bytes are gone. */
  protected abstract rewound(): boolean;
  /** Takes the head of the answer. @returns false when the rest is of no interest. */
  protected abstract answered(status: number, fields: IncomingHttpHeaders): boolean;
  /**
   * Takes a piece of the answer, which is only valid until this returns.
   *
   * @param weight what it has used up of the window, with its padding.
   * @returns false when the stream has ended over it.
   */
  protected abstract taken(piece: Buffer, weight: number): boolean;
  /** Hears that the answer is complete. */
  protected abstract finished(trailers: IncomingHttpHeaders): void;
  /** Hears that there is no answer, or no whole one. */
  protected abstract failed(error: Error): void;

  /** Hears that all that there was of the body is sent. */
  drained(): void {}

  /** Whether its body streams, so that it waits while the socket is full. */
  get isStreamed(): boolean {
    return false;
  }

  /** Whether it can be sent from its beginning to another connection: then that is what comes next. */
  beginsAgain(): boolean {
    return !this.#told && !this.#hasHead && this.rewound();
  }

  /** Stops it; nobody hears anything more. */
  abandon(): void {
    this.stop(constants.NGHTTP2_CANCEL);
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
    if (!this.answered(status, fields)) this.abandon();
    else if (isEnd) this.#finish(NO_TRAILERS);
  }

  /** Takes a piece of the body. @throws {StreamReset} when it is out of place. */
  took(piece: Buffer, isEnd: boolean, weight: number): void {
    if (this.#told) return;
    if (!this.#hasHead) throw malformed('a body without a head');
    if (this.taken(piece, weight) && isEnd) this.#finish(NO_TRAILERS);
  }

  /** Ends it without an answer. */
  broke(error: Error): void {
    if (this.#told) return;
    this.#told = true;
    this.carrier = undefined;
    this.failed(error);
  }

  /** Ends it for its connection. */
  protected stop(http2ErrorCode: number): void {
    if (this.#told) return;
    this.#told = true;
    const { carrier } = this;
    this.carrier = undefined;
    carrier?.forget(this, http2ErrorCode);
  }

  #finish(trailers: IncomingHttpHeaders): void {
    if (this.#told) return;
    this.stop(constants.NGHTTP2_NO_ERROR);
    this.finished(trailers);
  }
}

function malformed(what: string): StreamReset {
  return new StreamReset(constants.NGHTTP2_PROTOCOL_ERROR, `the answer has ${what}`);
}
