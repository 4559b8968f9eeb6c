import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { Injectable } from '@nestjs/common';
import type { ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { CallRun, type CallLimits } from '../call-run.ts';
import { GrpcChannels } from './grpc-channel.ts';
import { GARBLED, grpcFault } from './grpc-faults.ts';
import { MessageStream } from './message-stream.ts';
import { outboundMetadata } from './outbound-metadata.ts';
import { SingleMessage } from './single-message.ts';
import { asIs, StreamRun } from './stream-run.ts';

/** What one unary call may use. */
export interface UnaryLimits extends CallLimits {
  /** Whether it may be made twice without harm. Default: what `idempotency_level` in the proto says. */
  readonly idempotent?: boolean | undefined;
}

/** What one server stream may use. */
export interface StreamLimits {
  readonly exchange: Exchange;
  /** Whether it may be made twice without harm, until it is open. Default: what the proto says. */
  readonly idempotent?: boolean | undefined;
  /** Longest silence, in ms; `Infinity` for no limit. */
  readonly idleMs: number;
}

/** A method on the wire. */
interface WireMethod {
  readonly path: string;
  readonly output: DescMessage;
  readonly idempotent: boolean;
}

type CalledMethod = DescMethodUnary | DescMethodServerStreaming;

/** Calls methods of gRPC upstreams. Owns the channels; one per process. */
@Injectable()
export class GrpcCaller {
  /** The channels to all targets, for those who call in other ways. */
  readonly channels = new GrpcChannels();
  readonly #wire = new WeakMap<CalledMethod, WireMethod>();
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

  /**
   * The messages of a server stream. The call is made when the first one is asked for, with the same identity, trace
   * and request id as a unary one, and cancelled with the exchange or when nobody asks any more. Another target is
   * asked only until one has opened its answer; a target that opens none within `timeouts.firstByte` is taken to be
   * waiting for its first message. Deadlines bound the opening alone.
   *
   * @param decode makes something of a message; what it throws ends the stream as `upstream-response-invalid`.
   */
  serverStream<In extends DescMessage, Out extends DescMessage, Value>(
    upstream: Upstream,
    method: DescMethodServerStreaming<In, Out>,
    input: MessageInitShape<In>,
    { decode, ...limits }: StreamLimits & { readonly decode: (message: MessageShape<Out>) => Value },
  ): AsyncIterableIterator<Value, undefined> {
    const { path, idempotent } = this.#wireOf(method);
    return new MessageStream<Value>({
      decode: (bytes) => decode(fromBinary(method.output, bytes)),
      call: (taker) => {
        if (this.#closed) throw new Problem('shutting-down');
        const parts = {
          ...limits,
          upstream,
          path,
          idempotent: limits.idempotent ?? idempotent,
          metadata: outboundMetadata(limits.exchange),
          channels: this.channels,
          metrics: this.#metrics,
          patient: true,
        };
        return new StreamRun(parts, new SingleMessage(encode(method.input, input)), taker);
      },
    });
  }

  /** Closes the channels; later calls are refused. */
  close(): void {
    this.#closed = true;
    this.channels.close();
  }

  #wireOf(method: CalledMethod): WireMethod {
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
