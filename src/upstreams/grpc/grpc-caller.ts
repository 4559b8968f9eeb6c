import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { Injectable } from '@nestjs/common';
import type { ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { CallRun, type CallLimits } from '../call-run.ts';
import { GrpcChannels } from './grpc-channel.ts';
import { GARBLED, grpcFault } from './grpc-faults.ts';
import { outboundMetadata } from './outbound-metadata.ts';

/** What one unary call may use. */
export interface UnaryLimits extends CallLimits {
  /** Whether it may be made twice without harm. Default: what `idempotency_level` in the proto says. */
  readonly idempotent?: boolean | undefined;
}

/** A unary method on the wire. */
interface WireMethod {
  readonly path: string;
  readonly output: DescMessage;
  readonly idempotent: boolean;
}

/** Calls methods of gRPC upstreams. Owns the channels; one per process. */
@Injectable()
export class GrpcCaller {
  /** The channels to all targets, for those who call in other ways. */
  readonly channels = new GrpcChannels();
  readonly #wire = new WeakMap<DescMethodUnary, WireMethod>();
  readonly #metrics: Metrics;
  #closed = false;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /**
   * Calls a unary method and returns its answer. The target gets the time that is left as `grpc-timeout`, the
   * verified identity, the trace and the request id; nothing of what the client sent by itself.
   *
   * @throws {Problem} for every status but OK, by the table in `grpc-faults.ts`; `request-invalid` when the input
   * does not fit the message; `upstream-response-invalid` when the answer does not.
   */
  async unary<In extends DescMessage, Out extends DescMessage>(
    upstream: Upstream,
    method: DescMethodUnary<In, Out>,
    input: MessageInitShape<In>,
    limits: UnaryLimits,
  ): Promise<MessageShape<Out>> {
    if (this.#closed) throw new Problem('shutting-down');
    const bytes = encode(method.input, input);
    const wire = this.#wireOf(method);
    const run = new UnaryRun<Out>(upstream, limits, {
      method: limits.idempotent === undefined ? wire : { ...wire, idempotent: limits.idempotent },
      bytes,
      channels: this.channels,
      metrics: this.#metrics,
    });
    return run.start();
  }

  /** Closes the channels; later calls are refused. */
  close(): void {
    this.#closed = true;
    this.channels.close();
  }

  #wireOf(method: DescMethodUnary): WireMethod {
    let wire = this.#wire.get(method);
    if (wire === undefined) {
      wire = {
        path: `/${method.parent.typeName}/${method.name}`,
        output: method.output,
        idempotent: method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
      };
      this.#wire.set(method, wire);
    }
    return wire;
  }
}

interface UnaryParts {
  readonly method: WireMethod;
  readonly bytes: Buffer;
  readonly channels: GrpcChannels;
  readonly metrics: Metrics;
}

class UnaryRun<Out extends DescMessage> extends CallRun<MessageShape<Out>> {
  readonly #parts: UnaryParts;
  #metadata: Metadata | undefined = undefined;
  #call: ClientUnaryCall | undefined = undefined;

  constructor(upstream: Upstream, limits: CallLimits, parts: UnaryParts) {
    super(upstream, limits, parts.metrics);
    this.#parts = parts;
  }

  protected override send(target: Target): void {
    const left = Math.min(this.leftMs(), this.upstream.options.timeouts.firstByte);
    const limit = Error.stackTraceLimit;
    // grpc-js keeps the caller's stack for its errors; ours become problems, which have none.
    Error.stackTraceLimit = 0;
    try {
      this.#call = this.#parts.channels
        .clientOf(target)
        .makeUnaryRequest(
          this.#parts.method.path,
          asIs,
          asIs,
          this.#parts.bytes,
          (this.#metadata ??= outboundMetadata(this.exchange)),
          { deadline: Date.now() + left },
          this.#answered,
        );
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  protected override abandon(): void {
    this.#call?.cancel();
  }

  readonly #answered = (error: ServiceError | null, answer: Buffer | undefined): void => {
    if (error !== null)
      return this.fail(grpcFault(error, this.#parts.method.idempotent, this.timeoutCode()), error);
    let message: MessageShape<Out>;
    try {
      message = fromBinary(this.#parts.method.output as Out, answer as Buffer);
    } catch (fault) {
      return this.fail(GARBLED, fault);
    }
    this.deliver(message, 'OK');
  };
}

function encode<In extends DescMessage>(schema: In, input: MessageInitShape<In>): Buffer {
  try {
    const bytes = toBinary(schema, create(schema, input));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    // What a schema let through and the wire cannot carry, such as a number above 2^31, came from the client.
    throw new Problem('request-invalid', { cause: error });
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
