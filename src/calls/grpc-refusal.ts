import type { DescMessage } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { Problem } from '../problems/problem.ts';
import { RefusedCall } from '../upstreams/grpc/grpc-faults.ts';
import { detailsIn, errorsOf } from '../upstreams/grpc/status-details.ts';

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
  const cause: unknown = error instanceof Problem ? error.cause : undefined;
  if (!(cause instanceof RefusedCall)) return undefined;
  const { code, typed } = cause;
  let reason: string | undefined;
  let metadata: GrpcRefusal['metadata'] = {};
  const faults: GrpcRefusal['faults'][number][] = [];
  for (const detail of typed === undefined ? [] : detailsIn(Buffer.from(typed, 'base64'))) {
    if (detail.$typeName === 'google.rpc.ErrorInfo') ({ reason, metadata } = detail);
    else if (detail.$typeName === 'google.rpc.BadRequest') faults.push(...errorsOf(detail, input));
  }
  return { status: (status[code] ?? 'UNKNOWN') as keyof typeof status, reason, metadata, faults };
}
