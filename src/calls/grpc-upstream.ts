import { create, toBinary } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { noteCall } from '../config/code-ledger.ts';
import { Problem } from '../problems/problem.ts';
import { compilePlan, type ReuseOptions } from './call-plan.ts';
import type { DeclaredCall } from './call.ts';
import { declaredCall, withoutFaults } from './declared.ts';
import { describeCall } from './describe-call.ts';
import { compileGrpcBatch, type GrpcBatchOptions } from './grpc-batch.ts';
import { sortDeep } from './reuse/call-key.ts';
import { declareStream, type StreamCall, type StreamOptions } from './stream-call.ts';

/** What a unary call may say about itself. */
export interface UnaryOptions<
  In,
  Out,
  ManyIn extends DescMessage = DescMessage,
  ManyOut extends DescMessage = DescMessage,
> extends ReuseOptions<Out> {
  /** It may be made twice without harm. Default: what `idempotency_level` in the proto says. */
  readonly idempotent?: boolean;
  /** Whether it only reads. Default: when the proto says `NO_SIDE_EFFECTS`, or `idempotent` is given. */
  readonly reads?: boolean;
  /** A method of the upstream that reads many at once: calls for single ids made together become one. */
  readonly batch?: GrpcBatchOptions<In, Out, ManyIn, ManyOut>;
}

/** Declares calls of a gRPC upstream. */
export interface GrpcUpstream {
  /** Declares a call of a unary method; its input and output are the messages of the method. */
  unary<
    In extends DescMessage,
    Out extends DescMessage,
    ManyIn extends DescMessage,
    ManyOut extends DescMessage,
  >(
    name: string,
    method: DescMethodUnary<In, Out>,
    options?: UnaryOptions<MessageInitShape<In>, MessageShape<Out>, ManyIn, ManyOut>,
  ): DeclaredCall<MessageInitShape<In>, MessageShape<Out>>;

  /** Declares a call of a method that answers with a stream; each run yields the decoded messages. */
  serverStream<In extends DescMessage, Out extends DescMessage, Value = MessageShape<Out>>(
    name: string,
    method: DescMethodServerStreaming<In, Out>,
    options?: StreamOptions<MessageShape<Out>, Value>,
  ): StreamCall<MessageInitShape<In>, Value>;
}

/**
 * Names a gRPC upstream of the configuration, to declare its calls.
 *
 * @example
 * const orders = grpcUpstream('orders');
 * export const getOrder = orders.unary('orders.get', Orders.method.getOrder, { idempotent: true });
 * export const watchOrders = orders.serverStream('orders.watch', Orders.method.watchOrders);
 */
export function grpcUpstream(upstream: string): GrpcUpstream {
  return {
    unary: (name, method, options = {}) => declare(upstream, name, method, options),
    serverStream: (name, method, options = {}) => {
      noteCall({ name, upstream, protocol: 'grpc' });
      const { idle: _, ...others } = options;
      return withoutFaults(
        name,
        () => declareStream(upstream, name, method, options),
        () => declareStream(upstream, name, method, others),
      );
    },
  };
}

function declare<
  In extends DescMessage,
  Out extends DescMessage,
  ManyIn extends DescMessage,
  ManyOut extends DescMessage,
>(
  upstream: string,
  name: string,
  method: DescMethodUnary<In, Out>,
  options: UnaryOptions<MessageInitShape<In>, MessageShape<Out>, ManyIn, ManyOut>,
): DeclaredCall<MessageInitShape<In>, MessageShape<Out>> {
  const { idempotent } = options;
  const reads = options.reads ?? idempotent ?? method.idempotency === Idempotency.NO_SIDE_EFFECTS;
  const operation = `${method.parent.typeName}/${method.name}`;
  const declaration = { name, upstream, reads, protocol: 'grpc', operation } as const;
  return declaredCall(declaration, () => grpcCall(declaration, method, options));
}

function grpcCall<
  In extends DescMessage,
  Out extends DescMessage,
  ManyIn extends DescMessage,
  ManyOut extends DescMessage,
>(
  declaration: Parameters<typeof describeCall>[0],
  method: DescMethodUnary<In, Out>,
  options: UnaryOptions<MessageInitShape<In>, MessageShape<Out>, ManyIn, ManyOut>,
): DeclaredCall<MessageInitShape<In>, MessageShape<Out>> {
  const { name, upstream, reads } = declaration;
  const { idempotent, batch } = options;
  const plan = compilePlan<MessageInitShape<In>, MessageShape<Out>>(name, options, {
    reads,
    batch: batch === undefined ? undefined : compileGrpcBatch(upstream, batch),
    missing:
      batch !== undefined && 'missing' in batch ? { value: batch.missing as MessageShape<Out> } : undefined,
  });
  return Object.freeze({
    name,
    upstream,
    reads,
    plan,
    description: describeCall(declaration, plan),
    keyOf: (input) => wireText(method.input, input),
    run: ({ upstreams, grpc }, input, { exchange, timeoutMs, trail, span }) =>
      grpc.unary(upstreams.of(exchange, upstream), method, input, {
        exchange,
        timeoutMs,
        trail,
        span,
        idempotent,
      }),
  } satisfies DeclaredCall<MessageInitShape<In>, MessageShape<Out>>);
}

/** The bytes of a message as text. Fields are in the order of their numbers, entries of maps in that of their keys. */
function wireText<In extends DescMessage>(schema: In, input: MessageInitShape<In>): string {
  try {
    const bytes = toBinary(schema, create(schema, sortDeep(input) as MessageInitShape<In>));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  } catch (error) {
    throw new Problem('request-invalid', { cause: error });
  }
}
