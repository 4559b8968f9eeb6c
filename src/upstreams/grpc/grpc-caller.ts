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
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Upstream } from '../upstream.ts';
import type { CallLimits } from '../call-run.ts';
import { GrpcChannels } from './grpc-channel.ts';
import { MessageStream } from './message-stream.ts';
import { metadataOf, outboundFields } from './outbound-metadata.ts';
import { SingleMessage } from './single-message.ts';
import { StreamRun } from './stream-run.ts';
import { UnaryRun, type UnaryCall, type UnaryMethod } from './unary-run.ts';

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

type CalledMethod = DescMethodUnary | DescMethodServerStreaming;

/** Calls methods of gRPC upstreams. Owns the channels; one per process. */
@Injectable()
export class GrpcCaller {
  /** The channels of grpc-js to all targets: for streams and reflection. */
  readonly channels = new GrpcChannels();
  readonly #wire = new WeakMap<CalledMethod, UnaryMethod<unknown>>();
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
  unary<In extends DescMessage, Out extends DescMessage>(
    upstream: Upstream,
    method: DescMethodUnary<In, Out>,
    input: MessageInitShape<In>,
    limits: UnaryLimits,
  ): Promise<MessageShape<Out>> {
    let message: Buffer;
    try {
      message = encode(method.input, input);
    } catch (error) {
      return Promise.reject(error);
    }
    const known = this.#wireOf(method);
    const wire = limits.idempotent === undefined ? known : { ...known, idempotent: limits.idempotent };
    const call = { method: wire, message, fields: outboundFields(limits.exchange, upstream) };
    return this.call(upstream, call as UnaryCall<MessageShape<Out>>, limits);
  }

  /**
   * Calls a unary method whose message is bytes already. The target gets the time that is left as `grpc-timeout`, and the
   * fields that the call names, no others.
   *
   * @throws {Problem} for every status but OK.
   */
  call<Out>(upstream: Upstream, call: UnaryCall<Out>, limits: CallLimits): Promise<Out> {
    if (this.#closed) return Promise.reject(new Problem('shutting-down'));
    return new UnaryRun(upstream, limits, this.#metrics, call).start();
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
        const fields = outboundFields(limits.exchange, upstream);
        const parts = {
          ...limits,
          upstream,
          path,
          idempotent: limits.idempotent ?? idempotent,
          fields,
          metadata: metadataOf(fields),
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

  #wireOf(method: CalledMethod): UnaryMethod<unknown> {
    let wire = this.#wire.get(method);
    if (wire === undefined) {
      wire = {
        path: `/${method.parent.typeName}/${method.name}`,
        read: ({ bytes }) => fromBinary(method.output, bytes),
        idempotent: method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
      };
      this.#wire.set(method, wire);
    }
    return wire;
  }
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
