import type { AnswerSink } from '../../exchange/answer-sink.ts';
import { Pieces } from '../../exchange/pieces.ts';
import { Problem } from '../../problems/problem.ts';
import type { Lease } from '../lease.ts';
import type { AnswerHead } from '../transport/http1/answer-head.ts';
import type { CallCarrier, CallPatience, CarriedCall } from '../transport/http1/carried-call.ts';
import type { UpgradedSocket } from '../transport/http1/upgraded-socket.ts';
import type { ForwardHost } from './forward-host.ts';
import { httpFault, speaksAgainst, verdictOf } from './http-faults.ts';
import type { Sent } from './upgrade.ts';

/** What may come of an answer that was given up, before its connection is. */
const MAX_UNWANTED_BYTES = 65_536;

/** One attempt at one target: hears its answer piece by piece, and hands it on as a whole where it has come as one. */
export class ForwardAttempt implements CarriedCall {
  readonly message: Sent['message'];
  readonly patience: CallPatience;
  readonly upgrade: Sent['upgrade'];
  readonly isHeadOnly: boolean;
  carrier: CallCarrier | undefined = undefined;
  wasSent = false;
  /** No more of it counts: the answer is complete, or the attempt was given up. */
  isUnwanted = false;
  readonly #host: ForwardHost;
  readonly #lease: Lease;
  readonly #sink: AnswerSink;
  /** Has come, and was not handed on yet. */
  #head: AnswerHead | undefined = undefined;
  #isAnswering = false;
  #pieces: Pieces | undefined = undefined;
  #trailers: readonly string[] | undefined = undefined;
  #unwantedBytes = 0;

  constructor(host: ForwardHost, lease: Lease, sink: AnswerSink, sent: Sent) {
    this.#host = host;
    this.#lease = lease;
    this.#sink = sink;
    this.message = sent.message;
    this.patience = sent.patience;
    this.upgrade = sent.upgrade;
    this.isHeadOnly = host.exchange.method === 'HEAD';
  }

  /** Stops the attempt, and hears nothing more of it. */
  abandon(): void {
    this.isUnwanted = true;
    this.#leave();
  }

  interim(head: AnswerHead): void {
    if (!this.isUnwanted) this.#sink.interim(head);
  }

  head(head: AnswerHead): void {
    if (this.isUnwanted) return;
    const { status } = head;
    // A bad head says all; after a good one the answer may still break off.
    if (speaksAgainst(status)) this.#lease.settle('failure');
    else this.#lease.opened();
    this.#host.note(String(status));
    if (!this.#host.givesUp(head)) return void (this.#head = head);
    this.isUnwanted = true;
    this.#lease.release('neutral');
    this.#host.retry();
  }

  switched(socket: UpgradedSocket): void {
    this.isUnwanted = true;
    // The answer to a handshake has no more than a head; how the two sides part later says nothing.
    this.#lease.settle('success');
    this.#host.note('101');
    this.upgrade?.switched(socket, this.#lease);
  }

  piece(bytes: Buffer, isLast: boolean): void {
    if (this.isUnwanted) return this.#drain(bytes);
    if (isLast) return this.#complete(bytes);
    // Whatever one read of the socket brings goes on as one piece.
    (this.#pieces ??= new Pieces()).push(bytes);
  }

  trailers(fields: readonly string[]): void {
    this.#trailers = fields;
  }

  progress(): void {
    if (this.isUnwanted) return;
    const head = this.#head;
    if (head !== undefined) this.#begin(head);
    const chunk = this.#pieces?.take();
    if (chunk === undefined || chunk.length === 0) {
      // A stream of events may begin with a silence. A body of known length is on its way.
      if (head !== undefined && head.length === undefined) this.#sink.flush();
      return;
    }
    // Whoever takes the piece may have given the attempt up.
    if (this.#sink.data(chunk) || this.carrier === undefined) return;
    this.carrier.pause?.();
    this.#sink.onDrain(this.#resume, this.patience.idleMs);
  }

  broke(error: Error): void {
    if (this.isUnwanted) return;
    this.isUnwanted = true;
    this.#lease.release(verdictOf(httpFault(error)));
    if (this.#isAnswering) this.#host.note(this.#host.brokeOff(error));
    else this.#host.failed(error);
  }

  readonly #resume = (): void => this.carrier?.resume?.();

  #begin(head: AnswerHead): void {
    this.#head = undefined;
    this.#isAnswering = true;
    this.#sink.begin(head);
  }

  #complete(last: Buffer): void {
    this.isUnwanted = true;
    this.#lease.release('success');
    try {
      this.#deliver(this.#withPieces(last), last);
    } catch (error) {
      this.#sink.fail(new Problem('internal', { cause: error }));
    }
  }

  #deliver(body: Buffer, last: Buffer): void {
    // The buffer of the socket is filled anew, while who reads slowly is still waited for.
    const isKept = body !== last;
    if (this.#head !== undefined && this.#trailers === undefined)
      return this.#sink.whole(this.#head, body, isKept);
    if (this.#head !== undefined) this.#begin(this.#head);
    if (body.length > 0) this.#sink.data(isKept ? body : Buffer.from(body));
    if (this.#trailers !== undefined) this.#sink.trailers(this.#trailers);
    this.#sink.end();
  }

  #withPieces(last: Buffer): Buffer {
    const pieces = this.#pieces;
    if (pieces === undefined || pieces.length === 0) return last;
    pieces.push(last);
    return pieces.take();
  }

  #drain(bytes: Buffer): void {
    this.#unwantedBytes += bytes.length;
    if (this.#unwantedBytes > MAX_UNWANTED_BYTES) this.#leave();
  }

  #leave(): void {
    const { carrier } = this;
    this.carrier = undefined;
    carrier?.forget(this);
  }
}
