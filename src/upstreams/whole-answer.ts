import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { BoundedBody } from './bounded-body.ts';

/** Who gets the answer of one attempt; hears one of the last three, once. */
export interface AnswerReader {
  /** Takes the head. @returns false when what follows is of no interest: the rest of the answer is drained unread. */
  head(status: number, headers: IncomingHttpHeaders): boolean;
  /** Takes the end, of an answer whose head was of interest. */
  ended(body: Buffer, trailers: IncomingHttpHeaders): void;
  /** Hears that the answer is larger than it may be. */
  oversized(): void;
  /** Hears that the connection failed, before the answer or within it. */
  broke(error: Error): void;
}

/** Collects the answer of one attempt as undici reports it, up to a bound: it is held in memory as a whole. */
export class WholeAnswer implements Dispatcher.DispatchHandler {
  readonly #reader: AnswerReader;
  readonly #body: BoundedBody;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #abandoned: Error | undefined = undefined;
  /** The reader has heard what became of the attempt; what is left is drained for the connection's sake. */
  #told = false;

  constructor(reader: AnswerReader, maxBytes: number) {
    this.#reader = reader;
    this.#body = new BoundedBody(maxBytes);
  }

  /** Stops the attempt; the reader hears nothing more. */
  abandon(reason: Error): void {
    this.#told = true;
    this.#abandoned = reason;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abandoned !== undefined) controller.abort(this.#abandoned);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200 || this.#told) return;
    this.#told = !this.#reader.head(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#body.counts(chunk.length)) {
      // Also one that is drained unread: nobody bounds how long a service goes on with an error.
      if (!this.#told) this.#reader.oversized();
      this.#told = true;
      controller.abort(new Error('the answer is larger than it may be'));
    } else if (!this.#told) this.#body.keep(chunk);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#told) return;
    this.#told = true;
    this.#reader.ended(this.#body.whole(), trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#told) return;
    this.#told = true;
    this.#reader.broke(error);
  }
}
