import type { IncomingHttpHeaders } from 'node:http';
import { BoundedBody } from '../../../exchange/bounded-body.ts';
import type { AnswerReader } from '../answer-reader.ts';
import type { ParsedAnswerSink } from './answer-parser.ts';

const NO_TRAILERS: IncomingHttpHeaders = Object.freeze({});

/** What is sent. */
export interface OutboundMessage {
  /** Request line and header fields, with the empty line. */
  readonly head: string;
  readonly body: Buffer | null;
  /** Whether it may be sent twice without harm. */
  readonly isIdempotent: boolean;
}

/** Who has a call at the moment: a queue or a connection. */
export interface CallCarrier {
  /** Lets go of a call that nobody waits for any more. */
  forget(call: OutboundCall): void;
}

/** One request, and its answer as far as it is wanted. */
export class OutboundCall implements ParsedAnswerSink {
  readonly message: OutboundMessage;
  carrier: CallCarrier | undefined = undefined;
  /** Whether it was sent before, over a connection that ended before an answer began. */
  wasSent = false;
  readonly #reader: AnswerReader;
  readonly #body: BoundedBody;
  #hasHead = false;
  #isEmpty = true;
  /** The reader has heard what became of it; what is left is drained for the connection's sake. */
  #told = false;

  constructor(message: OutboundMessage, reader: AnswerReader, maxBytes: number) {
    this.message = message;
    this.#reader = reader;
    this.#body = new BoundedBody(maxBytes);
  }

  /** Stops it; the reader hears nothing more. */
  abandon(): void {
    this.#told = true;
    const { carrier } = this;
    this.carrier = undefined;
    carrier?.forget(this);
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    this.#hasHead = true;
    if (!this.#told) this.#told = !this.#reader.head(status, headers);
  }

  piece(bytes: Buffer, isLast: boolean): void {
    if (!this.#body.counts(bytes.length)) return this.#tooLarge();
    if (this.#told) return;
    if (isLast) {
      // The usual answer comes in one piece, and is read where it is.
      const body = this.#isEmpty ? bytes : this.#withRest(bytes);
      this.#told = true;
      return this.#reader.ended(body, NO_TRAILERS);
    }
    this.#keep(bytes);
  }

  /** Whether what is left of the answer is of no interest. */
  get isUnwanted(): boolean {
    return this.#told;
  }

  /** Hears that the head or more of the body has come, and that it was not all. */
  progress(): void {
    if (this.#hasHead && !this.#told) this.#reader.more?.();
  }

  /** Ends it without an answer. */
  broke(error: Error): void {
    if (this.#told) return;
    this.#told = true;
    this.#reader.broke(error);
  }

  #withRest(bytes: Buffer): Buffer {
    this.#keep(bytes);
    return this.#body.whole();
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#isEmpty = false;
    this.#body.keep(bytes);
  }

  // Also one that is drained unread: nobody bounds how long a service goes on with an error.
  #tooLarge(): void {
    const wasTold = this.#told;
    this.abandon();
    if (!wasTold) this.#reader.oversized();
  }
}
