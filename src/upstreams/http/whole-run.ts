import type { IncomingHttpHeaders } from 'node:http';
import { PlainFault } from '../../telemetry/error-facts.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { addTraceFields } from '../../telemetry/trace-context.ts';
import { signedFor, toldTo } from '../identity/service-identity.ts';
import { CallRun, type CallLimits } from '../call-run.ts';
import type { Target } from '../target.ts';
import type { AnswerReader } from '../transport/answer-reader.ts';
import type { Http1Pool } from '../transport/http1/http1-pool.ts';
import type { OutboundCall } from '../transport/http1/outbound-call.ts';
import type { Upstream } from '../upstream.ts';
import { brokenCall, speaksAgainst } from './http-faults.ts';
import { RefusedAnswer } from './http-caller.ts';

const MAX_ANSWER_BYTES = 64 * 1024;

/** A request whose answer is of interest whatever its status is. */
export interface WholeRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, already encoded. */
  readonly path: string;
  /** Flat list: name, value; besides those of every call. */
  readonly fields: readonly string[];
  readonly body: string | undefined;
}

/** A whole answer. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * One call that asks a question: it can be made twice, and every status is an answer but those that speak against the
 * target. The answer may have 64 KiB, and no content coding. Redirects are not followed.
 */
export class WholeRun extends CallRun<WholeAnswer> implements AnswerReader {
  readonly #request: WholeRequest;
  #call: OutboundCall | undefined = undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};

  constructor(upstream: Upstream, request: WholeRequest, limits: CallLimits, metrics: Metrics) {
    super(upstream, limits, metrics, true);
    this.#request = request;
  }

  head(status: number, headers: IncomingHttpHeaders): boolean {
    this.begun();
    this.#status = status;
    this.#headers = headers;
    if (!speaksAgainst(status)) return true;
    const fault = {
      code: 'upstream-rejected',
      outcome: String(status),
      failure: true,
      retry: status,
    } as const;
    this.fail(fault, new RefusedAnswer(this.upstream.name, status));
    return false;
  }

  ended(body: Buffer): void {
    // A copy: the body is only valid until this returns.
    this.deliver(
      { status: this.#status, headers: this.#headers, body: Buffer.from(body) },
      String(this.#status),
    );
  }

  oversized(): void {
    const fault = {
      code: 'upstream-response-invalid',
      outcome: 'invalid',
      failure: true,
      retry: undefined,
    } as const;
    this.fail(fault, new PlainFault(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`));
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
    const { method, path, body, fields } = this.#request;
    const { host } = this.upstream.options;
    const request = {
      method,
      path,
      fields: this.attempts.asks(method, path, [...this.#own(), ...fields]),
      host: host === 'keep' || host === 'target' ? undefined : host,
      body: body === undefined ? null : Buffer.from(body),
      isIdempotent: true,
    };
    // Targets of upstreams of HTTP have one; only specs of balancing make them without.
    this.#call = (target.http1 as Http1Pool).send(request, this, MAX_ANSWER_BYTES);
  }

  protected override abandon(): void {
    this.#call?.abandon();
  }

  #own(): readonly string[] {
    const { exchange } = this;
    const { id, trace, principal } = exchange;
    const own = ['accept-encoding', 'identity', 'x-request-id', id];
    addTraceFields(own, trace);
    return signedFor(this.upstream, [...own, ...toldTo(this.upstream, principal)], exchange);
  }
}
