import type { ServiceError } from '@grpc/grpc-js';
import { Problem } from '../problems/problem.ts';
import type { AttemptFault } from '../upstreams/call-run.ts';
import { RefusedCall } from '../upstreams/grpc/grpc-faults.ts';
import { statusDetails } from '../upstreams/grpc/status-details.ts';
import type { Binding } from './binding.ts';

/** The problem of a fault: the typed details of the status, if there are some, tell the caller more. */
export function detailedProblem(
  { method, plan }: Pick<Binding, 'method' | 'plan'>,
  fault: AttemptFault,
  cause: unknown,
): Problem {
  const details = statusDetails(typedDetails(cause), method.input, (errors) => plan.inDocument(errors));
  return new Problem(fault.code, { cause, ...details });
}

// Whole messages go over a client that keeps them as they came, streams over grpc-js.
function typedDetails(cause: unknown): Uint8Array | undefined {
  if (cause instanceof RefusedCall)
    return cause.typed === undefined ? undefined : Buffer.from(cause.typed, 'base64');
  const { metadata } = (cause ?? {}) as Partial<ServiceError>;
  const bytes = metadata?.get('grpc-status-details-bin')[0];
  return typeof bytes === 'object' ? bytes : undefined;
}
