import type { ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CallRun, type AttemptFault } from '../upstreams/call-run.ts';
import type { Target } from '../upstreams/target.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { cancelCall } from '../upstreams/grpc/cancel-call.ts';
import type { GrpcChannels } from '../upstreams/grpc/grpc-channel.ts';
import { grpcFault } from '../upstreams/grpc/grpc-faults.ts';
import { asIs } from '../upstreams/grpc/stream-run.ts';
import type { Binding } from './binding.ts';
import { statusDetails } from '../upstreams/grpc/status-details.ts';

/** What a unary call answered. */
export interface UnaryAnswer {
  readonly bytes: Buffer;
  readonly metadata: Metadata | undefined;
  readonly trailers: Metadata;
}

/** What the run of a translated call needs. */
export interface TranslatedRunOptions {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  readonly binding: Binding;
  /** What goes out along with the message. */
  readonly metadata: Metadata;
  readonly channels: GrpcChannels;
  readonly metrics: Metrics;
}

/** Whether a call may be made twice without harm: it says so, or the target is told a key by which it knows it again. */
export function isHarmless({ idempotent }: Binding, metadata: Metadata): boolean {
  return idempotent || metadata.get('idempotency-key').length > 0;
}

/** The problem of a fault: the typed details of the status, if there are some, tell the caller more. */
export function detailedProblem(binding: Binding, fault: AttemptFault, cause: unknown): Problem {
  const { metadata } = (cause ?? {}) as Partial<ServiceError>;
  const details = statusDetails(metadata, binding.method.input, (errors) => binding.plan.inDocument(errors));
  return new Problem(fault.code, { cause, ...details });
}

/** One unary call, attempt after attempt. Bytes in, bytes out, and the metadata of the answer. */
export class TranslatedUnaryRun extends CallRun<UnaryAnswer> {
  readonly options: TranslatedRunOptions;
  readonly #message: Buffer;
  #call: ClientUnaryCall | undefined = undefined;

  constructor(options: TranslatedRunOptions, message: Buffer) {
    const { exchange, upstream, metrics, binding, metadata } = options;
    super(upstream, { exchange, timeoutMs: Infinity }, metrics, isHarmless(binding, metadata));
    this.options = options;
    this.#message = message;
  }

  protected override send(target: Target): void {
    const { binding, metadata, channels } = this.options;
    const left = Math.min(this.leftMs(), this.upstream.options.timeouts.firstByte);
    let head: Metadata | undefined;
    let answer: Buffer | undefined;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const call = channels.call(target, this.upstream.options.maxConnections, (client) =>
      client.makeUnaryRequest(
        binding.path,
        asIs,
        asIs,
        this.#message,
        metadata,
        { deadline: Date.now() + left },
        (error: ServiceError | null, bytes: Buffer | undefined) => {
          if (error === null) answer = bytes;
          else this.fail(grpcFault(error, this.timeoutCode()), error);
        },
      ),
    );
    Error.stackTraceLimit = limit;
    this.#call = call;
    call.once('metadata', (received: Metadata) => (head = received));
    // The status comes after the answer, and the trailers with it.
    call.once('status', (status) => {
      if (answer !== undefined)
        this.deliver({ bytes: answer, metadata: head, trailers: status.metadata }, 'OK');
    });
  }

  protected override abandon(): void {
    if (this.#call !== undefined) cancelCall(this.#call);
  }

  protected override problemOf(fault: AttemptFault, cause: unknown): Problem {
    return detailedProblem(this.options.binding, fault, cause);
  }
}
