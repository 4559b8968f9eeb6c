import { status } from '@grpc/grpc-js';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { CallRun, type AttemptFault, type CallLimits } from '../call-run.ts';
import { isKnownAgain } from '../idempotent-methods.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import type { Http2Pool } from '../transport/http2/http2-pool.ts';
import type { OutboundStream } from '../transport/http2/outbound-stream.ts';
import type { AnswerReader } from '../transport/answer-reader.ts';
import { NoFreeConnection } from '../transport/no-free-connection.ts';
import { fieldsForTarget } from './outbound-metadata.ts';
import { GARBLED, grpcFault, RefusedCall, type GrpcEnd } from './grpc-faults.ts';
import {
  endOf,
  endOfError,
  framed,
  framedWithGzip,
  MAX_MESSAGE_BYTES,
  PREFIX_BYTES,
  readMessage,
  timeoutText,
} from './unary-wire.ts';

const NO_FIELDS: IncomingHttpHeaders = Object.freeze({});

/** The one message of an answer, and the metadata that came before and after it, as fields of HTTP/2. */
export interface UnaryMessage {
  readonly bytes: Uint8Array;
  readonly head: OutgoingHttpHeaders;
  readonly trailers: OutgoingHttpHeaders;
}

/** A method on the wire. */
export interface UnaryMethod<Out> {
  /** `/shop.v1.Orders/GetOrder`. */
  readonly path: string;
  /** Whether it may be called twice without harm. */
  readonly idempotent: boolean;
  /** What the caller gets; what it throws makes the answer invalid, and speaks against the target. */
  readonly read: (answer: UnaryMessage) => Out;
  /** What the caller is told of a status that ends the run; the problem of its code by default. */
  readonly problemOf?: (fault: AttemptFault, cause: unknown) => Problem;
}

/** What is called, and with what. */
export interface UnaryCall<Out> {
  readonly method: UnaryMethod<Out>;
  readonly message: Uint8Array;
  /** The metadata: names in lower case and values, flat; bytes as base64. */
  readonly fields: readonly string[];
}

/**
 * One call with one message each way, attempt after attempt, over our own connections of HTTP/2: a call of grpc-js
 * passes through six layers that are made for streams, and costs many times as much.
 */
export class UnaryRun<Out> extends CallRun<Out> implements AnswerReader {
  readonly #call: UnaryCall<Out>;
  readonly #limits: CallLimits;
  readonly #metrics: Metrics;
  readonly #method: UnaryMethod<Out>;
  readonly #fields: readonly string[];
  readonly #frame: Buffer;
  #stream: OutboundStream | undefined = undefined;
  #httpStatus = 0;
  #head: IncomingHttpHeaders = NO_FIELDS;
  #trailers: IncomingHttpHeaders = NO_FIELDS;

  constructor(upstream: Upstream, limits: CallLimits, metrics: Metrics, call: UnaryCall<Out>) {
    // A key by which the target knows a call again is as good as a method that may be called twice.
    super(upstream, limits, metrics, call.method.idempotent || isKnownAgain(limits.exchange, call.fields));
    this.#call = call;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#method = call.method;
    this.#fields = call.fields;
    this.#frame =
      upstream.options.compression === 'gzip' ? framedWithGzip(call.message) : framed(call.message);
  }

  head(status: number, headers: IncomingHttpHeaders): boolean {
    this.#httpStatus = status;
    this.begun();
    this.#head = headers;
    return true;
  }

  ended(body: Buffer, trailers: IncomingHttpHeaders): void {
    const end = endOf(this.#httpStatus, this.#head, trailers);
    if (end.code !== status.OK) return this.#failed(end);
    this.#trailers = trailers;
    const encoding = this.#head['grpc-encoding'];
    readMessage(body, typeof encoding === 'string' ? encoding : undefined, this.#decoded);
  }

  oversized(): void {
    this.fail(GARBLED, new PlainFault(`the message exceeds ${MAX_MESSAGE_BYTES} bytes`));
  }

  broke(error: Error): void {
    if (error instanceof NoFreeConnection) return this.failUnsent(error);
    this.#failed(endOfError(error, this.#httpStatus !== 0), error);
  }

  override expire(): void {
    this.#stream?.abandon();
    this.#failed({ code: status.DEADLINE_EXCEEDED, details: 'the time of the call is up' });
  }

  protected override send(target: Target): void {
    const { firstByte } = this.upstream.options.timeouts;
    this.#httpStatus = 0;
    this.keepTime(firstByte);
    const timeout = timeoutText(Math.min(this.leftMs(), firstByte, this.attempts.tryLeftMs()));
    const told = fieldsForTarget(this.#fields, this.exchange, this.upstream);
    const fields = [...this.attempts.asks('POST', this.#method.path, told), 'grpc-timeout', timeout];
    if (target.compression === 'gzip') fields.push('grpc-encoding', 'gzip');
    const request = { path: this.#method.path, fields, body: this.#frame };
    // Targets of upstreams of gRPC have one; only specs of balancing make them without.
    const pool = target.http2 as Http2Pool;
    this.#stream = pool.post(request, this, MAX_MESSAGE_BYTES + PREFIX_BYTES);
  }

  protected override abandon(): void {
    this.#stream?.abandon();
  }

  protected override twin(): UnaryRun<Out> {
    return new UnaryRun(this.upstream, this.#limits, this.#metrics, this.#call);
  }

  protected override problemOf(fault: AttemptFault, cause: unknown): Problem {
    const { problemOf } = this.#method;
    if (problemOf === undefined || !(cause instanceof RefusedCall)) return super.problemOf(fault, cause);
    return problemOf(fault, cause);
  }

  #failed(end: GrpcEnd, cause: Error = new RefusedCall(end)): void {
    this.fail(grpcFault(end, this.timeoutCode()), cause);
  }

  readonly #decoded = (fault: Error | null, bytes?: Uint8Array): void => {
    let value: Out;
    try {
      if (fault !== null) throw fault;
      const [head, trailers] = [this.#head, this.#trailers];
      value = this.#method.read({ bytes: bytes as Uint8Array, head, trailers });
    } catch (error) {
      return this.fail(GARBLED, error);
    }
    this.deliver(value, 'OK');
  };
}
