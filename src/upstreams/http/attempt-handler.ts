import { errors, type Dispatcher } from 'undici';
import type { Problem } from '../../problems/problem.ts';
import type { Lease } from '../target.ts';
import { MalformedAnswer } from '../transport/http1/http1-faults.ts';
import type { AnswerSink, HttpForwarding } from './http-forwarder.ts';
import { isHopByHop } from './field-names.ts';
import { connectionNames } from './request-headers.ts';

const FIRST_FAILURE_STATUS = 500;
const FIRST_FINAL_STATUS = 200;
/** Values outside are invalid, and to be taken for a fault of the server (RFC 9110 section 15). */
const [FIRST_STATUS, LAST_STATUS] = [100, 599];
/** Interim answers before one that counts. */
const MAX_INTERIM_ANSWERS = 64;
/** After so many pieces of a body others have their turn: one read of a socket brings ten thousand chunks of one byte. */
const PIECES_OF_A_TURN = 128;

/** One attempt, as undici reports it: head, pieces of the body, end, or an error at any point. */
export class AttemptHandler implements Dispatcher.DispatchHandler {
  readonly #forwarding: HttpForwarding;
  readonly #lease: Lease;
  readonly #sink: AnswerSink;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #answering = false;
  #pieces = 0;
  #interimAnswers = 0;
  #firstInterimAt = 0;
  /** No more events count: the answer is complete, or the attempt was given up. */
  finished = false;

  constructor(forwarding: HttpForwarding, lease: Lease, sink: AnswerSink) {
    this.#forwarding = forwarding;
    this.#lease = lease;
    this.#sink = sink;
  }

  /** Stops the attempt; what undici still reports is ignored. */
  abandon(reason: Problem): void {
    this.finished = true;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.finished && this.#forwarding.exchange.cancelled !== undefined) {
      controller.abort(this.#forwarding.exchange.cancelled);
    }
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.finished) return;
    if (status < FIRST_STATUS || status > LAST_STATUS) return this.#refuse(controller, status);
    // Interim answers (1xx) end here: 100 was already given by our own server, 103 is not passed on.
    if (status < FIRST_FINAL_STATUS) return this.#interim(controller);
    // The target is known by the head; the call is under way until its body is through.
    this.#lease.settle(status >= FIRST_FAILURE_STATUS ? 'failure' : 'success');
    this.#forwarding.note(String(status));
    if (this.#forwarding.retriesStatus(status, single(headers['retry-after']))) {
      this.finished = true;
      this.#lease.release('failure');
      controller.abort(new Error('given up for another attempt'));
      return this.#forwarding.retry();
    }
    this.#answering = true;
    this.#sink.start(status, answerHeaders(headers));
  }

  // undici begins its time for the head anew with each of them.
  #interim(controller: Dispatcher.DispatchController): void {
    this.#interimAnswers += 1;
    if (this.#interimAnswers === 1) this.#firstInterimAt = performance.now();
    const { firstByte } = this.#forwarding.upstream.options.timeouts;
    if (this.#interimAnswers > MAX_INTERIM_ANSWERS)
      controller.abort(new MalformedAnswer('it does not come after its interim answers'));
    else if (performance.now() - this.#firstInterimAt > firstByte)
      controller.abort(new errors.HeadersTimeoutError());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.finished) return;
    this.#pieces += 1;
    if (!this.#sink.data(chunk)) {
      controller.pause();
      this.#sink.onDrain(() => controller.resume(), this.#forwarding.upstream.options.timeouts.idle);
    } else if (this.#pieces % PIECES_OF_A_TURN === 0) {
      controller.pause();
      setImmediate(resume, controller);
    }
  }

  onResponseEnd(): void {
    if (this.finished) return;
    this.finished = true;
    this.#lease.release('success');
    this.#sink.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.finished) return;
    this.finished = true;
    if (this.#answering) {
      this.#lease.releaseBroken();
      this.#forwarding.note(this.#forwarding.brokeOff(error).outcome);
    } else this.#forwarding.failed(error);
  }

  #refuse(controller: Dispatcher.DispatchController, status: number): void {
    const fault = new MalformedAnswer(`its status is ${status}`);
    this.finished = true;
    controller.abort(fault);
    this.#forwarding.failed(fault);
  }
}

function answerHeaders(headers: Record<string, string | string[] | undefined>): string[] {
  const listed = connectionNames(headers['connection'] as string | undefined);
  const out: string[] = [];
  for (const name in headers) {
    // The request id is ours to say, even when the upstream echoes it.
    if (isHopByHop(name) || name === 'x-request-id' || listed?.has(name)) continue;
    const value = headers[name];
    if (typeof value === 'string') out.push(name, value);
    else if (value !== undefined) for (const one of value) out.push(name, one);
  }
  return out;
}

function single(field: string | string[] | undefined): string | undefined {
  return typeof field === 'string' ? field : field?.[0];
}

function resume(controller: Dispatcher.DispatchController): void {
  controller.resume();
}
