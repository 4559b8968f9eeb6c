import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Call } from './call.ts';

/** What a unary call may say about itself. */
export interface UnaryOptions {
  /** It may be made twice without harm. Default: what `idempotency_level` in the proto says. */
  readonly idempotent?: boolean;
}

/** Declares calls of a gRPC upstream. */
export interface GrpcUpstream {
  /** Declares a call of a unary method; its input and output are the messages of the method. */
  unary<In extends DescMessage, Out extends DescMessage>(
    name: string,
    method: DescMethodUnary<In, Out>,
    options?: UnaryOptions,
  ): Call<MessageInitShape<In>, MessageShape<Out>>;
}

/**
 * Names a gRPC upstream of the configuration, to declare its calls.
 *
 * @example
 * const orders = grpcUpstream('orders');
 * export const getOrder = orders.unary('orders.get', Orders.method.getOrder, { idempotent: true });
 */
export function grpcUpstream(upstream: string): GrpcUpstream {
  return {
    unary: (name, method, { idempotent } = {}) =>
      Object.freeze({
        name,
        upstream,
        run: ({ upstreams, grpc }, input, { exchange, timeoutMs }) =>
          grpc.unary(upstreams.get(upstream), method, input, { exchange, timeoutMs, idempotent }),
      } satisfies Call<MessageInitShape<typeof method.input>, MessageShape<typeof method.output>>),
  };
}
