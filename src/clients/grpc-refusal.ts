import type { DescMessage } from '@bufbuild/protobuf';
import { status, Metadata } from '@grpc/grpc-js';
import { Problem } from '../problems/problem.ts';
import { detailsOf, errorsOf } from '../upstreams/grpc/transcoding/status-details.ts';

/** Why a gRPC service refused a call, as it says so in typed details (google/rpc/error_details.proto). */
export interface GrpcRefusal {
  /** `INVALID_ARGUMENT`, `FAILED_PRECONDITION` … */
  readonly status: keyof typeof status;
  /** The `reason` of an `ErrorInfo`, a constant of the service. */
  readonly reason: string | undefined;
  /** The metadata of an `ErrorInfo`; empty without one. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What a `BadRequest` says about fields of the request message. */
  readonly faults: readonly { readonly pointer: string; readonly message: string }[];
}

/**
 * Reads why a service refused a unary call, for code that answers its client with data instead of an error.
 *
 * @param input the request message of the method, whose fields `BadRequest` names.
 * @returns undefined when the error is anything else: the service did not answer, or the fault is its own.
 */
export function grpcRefusalOf(error: unknown, input: DescMessage): GrpcRefusal | undefined {
  const cause = error instanceof Problem ? (error.cause as Partial<Cause> | undefined) : undefined;
  const name = typeof cause?.code === 'number' ? status[cause.code] : undefined;
  if (name === undefined || !(cause?.metadata instanceof Metadata)) return undefined;
  let reason: string | undefined;
  let metadata: GrpcRefusal['metadata'] = {};
  const faults: GrpcRefusal['faults'][number][] = [];
  for (const detail of detailsOf(cause.metadata)) {
    if (detail.$typeName === 'google.rpc.ErrorInfo') ({ reason, metadata } = detail);
    else if (detail.$typeName === 'google.rpc.BadRequest') faults.push(...errorsOf(detail, input));
  }
  return { status: name as keyof typeof status, reason, metadata, faults };
}

interface Cause {
  readonly code: status;
  readonly metadata: Metadata;
}
