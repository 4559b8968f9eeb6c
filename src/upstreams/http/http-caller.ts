import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { decodeContent, isCoded } from '../../exchange/content-coding.ts';
import { withoutMark } from '../../exchange/json-bytes.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { CallRun, type AttemptFault, type CallLimits } from '../call-run.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import type { Http1Pool } from '../transport/http1/http1-pool.ts';
import type { OutboundCall } from '../transport/http1/outbound-call.ts';
import type { AnswerReader } from '../transport/answer-reader.ts';
import { isIdempotent } from '../idempotent-methods.ts';
import { retryAfterMs } from '../retry-wait.ts';
import { callFields, callHost } from './call-fields.ts';
import { brokenCall, speaksAgainst } from './http-faults.ts';
import { isTooDeep, MAX_JSON_DEPTH } from './json-depth.ts';

/** Answers above 1 MiB are refused, also decoded: they are held in memory as a whole. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const NO_CONTENT = 204;
const RESET_CONTENT = 205;
const NOT_FOUND = 404;

/** A request of a call. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, already encoded. */
  readonly path: string;
  /** Sent as JSON; absent: no body. */
  readonly body?: unknown;
  /** Reads the JSON of the answer; throws for what is none. Default: `JSON.parse`. */
  readonly parse?: (text: string) => unknown;
  /** Makes what the caller gets of the value; throws a problem when it cannot be used. Default: the value itself. */
  readonly decode?: (value: unknown) => unknown;
  /** Hears the header fields of a 2xx answer. */
  readonly heard?: (headers: IncomingHttpHeaders) => void;
}

/** An answer of an upstream with a status other than 2xx; the cause of the problem that it became. */
export class RefusedAnswer extends PlainFault {
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
   * Makes a request and returns the JSON value of its 2xx answer, of at most 1 MiB and 128 levels; `null` when it has no
   * content (204, 205). No coding is asked for; gzip, deflate, br and zstd are undone for a service that codes regardless.
   * The target gets the verified identity, the trace, the request id and the time that is left; nothing of
   * what the client sent by itself. Redirects are not followed.
   *
   * @throws {Problem} `resource-not-found` for 404, `upstream-rejected` for every other answer that is not 2xx,
   * `upstream-response-invalid` for one that is not JSON or too large, and what can befall any attempt.
   */
  json(upstream: Upstream, request: JsonRequest, limits: CallLimits): Promise<unknown> {
    return new JsonRun(upstream, request, limits, this.#metrics).start();
  }
}

class JsonRun extends CallRun<unknown> implements AnswerReader {
  readonly #request: JsonRequest;
  readonly #limits: CallLimits;
  readonly #metrics: Metrics;
  readonly #body: Buffer | null;
  #call: OutboundCall | undefined = undefined;
  #status = 0;
  #coding: string | undefined = undefined;

  constructor(upstream: Upstream, request: JsonRequest, limits: CallLimits, metrics: Metrics) {
    super(upstream, limits, metrics, isIdempotent(request.method));
    this.#request = request;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#body = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body));
  }

  head(status: number, headers: IncomingHttpHeaders): boolean {
    this.#status = status;
    this.begun();
    if (status >= 300) {
      this.#refused(status, headers['retry-after']);
      return false;
    }
    this.answered();
    this.#coding = headers['content-encoding'];
    this.#request.heard?.(headers);
    return true;
  }

  ended(body: Buffer): void {
    const status = this.#status;
    if (status === NO_CONTENT || status === RESET_CONTENT) return this.deliver(null, String(status));
    if (!isCoded(this.#coding)) return this.#read(body);
    decodeContent(body, this.#coding, MAX_ANSWER_BYTES, (fault, decoded) => {
      if (fault === null) this.#read(decoded);
      else this.#unreadable(fault);
    });
  }

  #read(body: Buffer): void {
    const text = withoutMark(body.toString());
    if (isTooDeep(text)) return this.#unreadable(new Error(`it is nested more than ${MAX_JSON_DEPTH} deep`));
    let value: unknown;
    try {
      value = this.#request.parse === undefined ? JSON.parse(text) : this.#request.parse(text);
    } catch (error) {
      return this.#unreadable(error);
    }
    this.deliver(value, String(this.#status));
  }

  oversized(): void {
    this.#unreadable(new PlainFault(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`));
  }

  broke(error: Error): void {
    this.fail(brokenCall(error, this.#status !== 0), error);
  }

  more(): void {
    this.keepTime(this.upstream.options.timeouts.idle);
  }

  protected override send(target: Target): void {
    this.#status = 0;
    this.keepTime(this.upstream.options.timeouts.firstByte);
    const { method, path } = this.#request;
    const request = {
      method,
      path,
      fields: this.attempts.asks(method, path, this.#fields()),
      host: callHost(this.upstream),
      body: this.#body,
      isIdempotent: isIdempotent(method),
    };
    // Targets of upstreams of HTTP have one; only specs of balancing make them without.
    this.#call = (target.http1 as Http1Pool).send(request, this, MAX_ANSWER_BYTES);
  }

  protected override abandon(): void {
    this.#call?.abandon();
  }

  protected override twin(): JsonRun {
    return new JsonRun(this.upstream, this.#request, this.#limits, this.#metrics);
  }

  protected override shape(value: unknown): unknown {
    const { decode } = this.#request;
    return decode === undefined ? value : decode(value);
  }

  #fields(): readonly string[] {
    return callFields(this.exchange, this.upstream, { leftMs: this.leftMs(), hasBody: this.#body !== null });
  }

  /** Ends an attempt that was answered with a status other than 2xx. */
  #refused(status: number, retryAfter: string | undefined): void {
    const code: ProblemCode = status === NOT_FOUND ? 'resource-not-found' : 'upstream-rejected';
    const again = { retry: status, afterMs: retryAfterMs(status, retryAfter) };
    const fault: AttemptFault = { code, outcome: String(status), failure: speaksAgainst(status), ...again };
    this.fail(fault, new RefusedAnswer(this.upstream.name, status));
  }

  /** Ends an attempt whose answer cannot be used. */
  #unreadable(cause: unknown): void {
    this.fail(
      { code: 'upstream-response-invalid', outcome: 'invalid', failure: true, retry: undefined },
      cause,
    );
  }
}
