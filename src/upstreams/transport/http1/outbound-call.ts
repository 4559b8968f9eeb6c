import type { IncomingHttpHeaders } from 'node:http';
import { BoundedBody } from '../../../exchange/bounded-body.ts';
import type { AnswerReader } from '../answer-reader.ts';
import type { AnswerHead } from './answer-head.ts';
import type { CallCarrier, CarriedCall, OutboundMessage } from './carried-call.ts';

const NO_TRAILERS: IncomingHttpHeaders = Object.freeze({});

/** One request, and its answer as far as it is wanted. */
export class OutboundCall implements CarriedCall {
  readonly message: OutboundMessage;
  carrier: CallCarrier | undefined = undefined;
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

  head(head: AnswerHead): void {
    this.#hasHead = true;
    if (!this.#told) this.#told = !this.#reader.head(head.status, head.headers);
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

  get isUnwanted(): boolean {
    return this.#told;
  }

  progress(): void {
    if (this.#hasHead && !this.#told) this.#reader.more?.();
  }

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
