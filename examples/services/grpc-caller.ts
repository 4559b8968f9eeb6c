import { status, type Metadata } from '@grpc/grpc-js';

/** A gRPC status that a handler answers by throwing. */
export class GrpcError extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** Whom the gateway says it calls for. */
export interface Caller {
  readonly id: string;
  readonly isAdmin: boolean;
}

/**
 * Reads the caller from `x-user-id` and `x-user-roles` (comma-separated). The services trust their
 * network: that only a gateway which verified the identity can reach them.
 *
 * @throws {GrpcError} UNAUTHENTICATED without `x-user-id`.
 */
export function callerOf(metadata: Metadata): Caller {
  const id = metadata.get('x-user-id')[0]?.toString() ?? '';
  if (id === '') throw new GrpcError(status.UNAUTHENTICATED, 'metadata x-user-id: the caller is not named');
  const roles = metadata.get('x-user-roles').join(',').split(',');
  return { id, isAdmin: roles.some((role) => role.trim() === 'admin') };
}
