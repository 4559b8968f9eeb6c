import { fromBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import type { IncomingHttpHeaders } from 'node:http';
import { PlainFault } from '../../telemetry/error-facts.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { CallRun, type CallLimits } from '../call-run.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import type { Http2Pool } from '../transport/http2/http2-pool.ts';
import type { OutboundStream } from '../transport/http2/outbound-stream.ts';
import type { AnswerReader } from '../transport/answer-reader.ts';
import { NoFreeConnection } from '../transport/no-free-connection.ts';
import { GARBLED, grpcFault, RefusedCall, type GrpcEnd } from './grpc-faults.ts';
import { outboundFields } from './outbound-metadata.ts';
import {
  endOf,
  endOfError,
  MAX_MESSAGE_BYTES,
  PREFIX_BYTES,
  readMessage,
  timeoutText,
} from './unary-wire.ts';

const NO_FIELDS: IncomingHttpHeaders = Object.freeze({});

/** A method on the wire. */
export interface UnaryMethod {
  readonly path: string;
  readonly output: DescMessage;
  readonly idempotent: boolean;
}

/**
 * One call with one message each way, attempt after attempt, over our own connections of HTTP/2: a call of grpc-js
 * passes through six layers that are made for streams, and costs many times as much.
 */
export class UnaryRun<Out extends DescMessage> extends CallRun<MessageShape<Out>> implements AnswerReader {
  readonly #method: UnaryMethod;
  readonly #frame: Buffer;
  #stream: OutboundStream | undefined = undefined;
  #httpStatus = 0;
  #head: IncomingHttpHeaders = NO_FIELDS;

  /** @param call the method, and the message with its prefix. */
  constructor(
    upstream: Upstream,
    limits: CallLimits,
    metrics: Metrics,
    call: readonly [UnaryMethod, Buffer],
  ) {
    super(upstream, limits, metrics, call[0].idempotent);
    [this.#method, this.#frame] = call;
  }

  head(status: number, headers: IncomingHttpHeaders): boolean {
    this.#httpStatus = status;
    this.#head = headers;
    return true;
  }

  ended(body: Buffer, trailers: IncomingHttpHeaders): void {
    const end = endOf(this.#httpStatus, this.#head, trailers);
    if (end.code !== status.OK) return this.#failed(end);
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
    const fields = outboundFields(this.exchange);
    fields.push('grpc-timeout', timeoutText(Math.min(this.leftMs(), firstByte)));
    if (target.compression === 'gzip') fields.push('grpc-encoding', 'gzip');
    const request = { path: this.#method.path, fields, body: this.#frame };
    // Targets of upstreams of gRPC have one; only specs of balancing make them without.
    const pool = target.http2 as Http2Pool;
    this.#stream = pool.post(request, this, MAX_MESSAGE_BYTES + PREFIX_BYTES);
  }

  protected override abandon(): void {
    this.#stream?.abandon();
  }

  #failed(end: GrpcEnd, cause: Error = new RefusedCall(end)): void {
    this.fail(grpcFault(end, this.timeoutCode()), cause);
  }

  readonly #decoded = (fault: Error | null, bytes?: Uint8Array): void => {
    let message: MessageShape<Out>;
    try {
      if (fault !== null) throw fault;
      message = fromBinary(this.#method.output as Out, bytes as Uint8Array);
    } catch (error) {
      return this.fail(GARBLED, error);
    }
    this.deliver(message, 'OK');
  };
}
