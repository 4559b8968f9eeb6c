import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { identityHeaders } from '../../exchange/identity-headers.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import type { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { traceparentOf } from '../../telemetry/trace-context.ts';
import { CallRun, type AttemptFault, type CallLimits } from '../call-run.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { httpFault } from './http-faults.ts';

/** Answers above 1 MiB are refused: they are held in memory as a whole. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const NOT_FOUND = 404;

/** Methods that may be sent twice without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Statuses of a target in trouble: another target may do better. */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);

/** A request of a call. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, already encoded. */
  readonly path: string;
  /** Sent as JSON; absent: no body. */
  readonly body?: unknown;
  /** Reads the JSON of the answer; throws for what is none. Default: `JSON.parse`. */
  readonly parse?: (text: string) => unknown;
  /** Hears the header fields of a 2xx answer. */
  readonly heard?: (headers: IncomingHttpHeaders) => void;
}

/** An answer of an upstream with a status other than 2xx; the cause of the problem that it became. */
export class RefusedAnswer extends Error {
  readonly status: number;

  constructor(upstream: string, status: number) {
    super(`${upstream} answered ${status}`);
    this.status = status;
  }
}

/** Calls HTTP upstreams that speak JSON; for composed and code-first answers, never for proxied ones. */
@Injectable()
export class HttpCaller {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /**
   * Makes a request and returns the JSON value of its 2xx answer, of at most 1 MiB; `null` when it has no content (204, 205).
   * The target gets the verified identity, the trace, the request id and the time that is left; nothing of
   * what the client sent by itself. Redirects are not followed.
   *
   * @throws {Problem} `resource-not-found` for 404, `upstream-rejected` for every other answer that is not 2xx,
   * `upstream-response-invalid` for one that is not JSON or too large, and what can befall any attempt.
   */
  async json(upstream: Upstream, request: JsonRequest, limits: CallLimits): Promise<unknown> {
    return new JsonRun(upstream, request, limits, this.#metrics).start();
  }
}

class JsonRun extends CallRun<unknown> {
  readonly #request: JsonRequest;
  readonly #body: string | null;
  readonly #idempotent: boolean;
  #answer: JsonAnswer | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(upstream: Upstream, request: JsonRequest, limits: CallLimits, metrics: Metrics) {
    super(upstream, limits, metrics);
    this.#request = request;
    this.#body = request.body === undefined ? null : JSON.stringify(request.body);
    this.#idempotent = IDEMPOTENT.has(request.method);
  }

  /** Ends the run with the value of a 2xx answer. */
  succeeded(status: number, text: string | undefined): void {
    if (text === undefined) return this.deliver(null, String(status));
    let value: unknown;
    try {
      value = this.#request.parse === undefined ? JSON.parse(text) : this.#request.parse(text);
    } catch (error) {
      return this.unreadable(error);
    }
    this.deliver(value, String(status));
  }

  /** Takes the head of a 2xx answer. */
  heard(headers: IncomingHttpHeaders): void {
    this.#request.heard?.(headers);
  }

  /** Ends an attempt that was answered with a status other than 2xx. */
  refused(status: number): void {
    const code: ProblemCode = status === NOT_FOUND ? 'resource-not-found' : 'upstream-rejected';
    const retryable = this.#idempotent && RETRYABLE_STATUS.has(status);
    const fault: AttemptFault = { code, outcome: String(status), failure: status >= 500, retryable };
    this.fail(fault, new RefusedAnswer(this.upstream.name, status));
  }

  /** Ends an attempt whose answer cannot be used. */
  unreadable(cause: unknown): void {
    this.fail(
      { code: 'upstream-response-invalid', outcome: 'invalid', failure: true, retryable: false },
      cause,
    );
  }

  /** Ends an attempt that failed on the connection. */
  broke(error: Error): void {
    const { code, outcome, retryable } = httpFault(error);
    this.fail({ code, outcome, failure: true, retryable: retryable && this.#idempotent }, error);
  }

  protected override send(target: Target): void {
    this.#timer ??= this.#startTimer();
    this.#answer = new JsonAnswer(this);
    // Targets of HTTP upstreams have a pool; the schema of upstreams sees to it.
    (target.pool as Dispatcher).dispatch(
      { path: this.#request.path, method: this.#request.method, headers: this.#headers(), body: this.#body },
      this.#answer,
    );
  }

  protected override abandon(reason: Problem): void {
    this.#answer?.abandon(reason);
  }

  protected override finished(): void {
    clearTimeout(this.#timer);
  }

  #startTimer(): NodeJS.Timeout | undefined {
    const left = this.leftMs();
    if (left === Infinity) return undefined;
    return setTimeout(() => this.expire(), Math.min(Math.ceil(left), LONGEST_TIMER_MS));
  }

  #headers(): string[] {
    const { exchange } = this;
    const headers = ['accept', 'application/json', 'x-request-id', exchange.id];
    headers.push('traceparent', traceparentOf(exchange.trace));
    if (exchange.trace.state !== undefined) headers.push('tracestate', exchange.trace.state);
    const left = this.leftMs();
    if (left !== Infinity) headers.push('x-request-deadline-ms', String(Math.max(0, Math.floor(left))));
    if (this.#body !== null) headers.push('content-type', 'application/json');
    headers.push(...identityHeaders(exchange.principal));
    return headers;
  }
}

/** Collects the answer of one attempt as undici reports it. */
class JsonAnswer implements Dispatcher.DispatchHandler {
  readonly #run: JsonRun;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #abandoned: Problem | undefined = undefined;
  #status = 0;
  #bytes = 0;
  #chunks: Buffer[] = [];
  /** The run has heard what became of the attempt; what is left of the answer is drained for the connection's sake. */
  #told = false;

  constructor(run: JsonRun) {
    this.#run = run;
  }

  abandon(reason: Problem): void {
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
    this.#status = status;
    if (status < 300) return this.#run.heard(headers);
    this.#told = true;
    this.#run.refused(status);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_ANSWER_BYTES) {
      const error = new Error(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`);
      if (!this.#told) this.#run.unreadable(error);
      this.#told = true;
      controller.abort(error);
    } else if (!this.#told) this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#told) return;
    this.#told = true;
    const hasContent = this.#status !== 204 && this.#status !== 205;
    this.#run.succeeded(this.#status, hasContent ? this.#text() : undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#told) return;
    this.#told = true;
    this.#run.broke(error);
  }

  #text(): string {
    const [only] = this.#chunks;
    return only !== undefined && this.#chunks.length === 1
      ? only.toString()
      : Buffer.concat(this.#chunks, this.#bytes).toString();
  }
}
