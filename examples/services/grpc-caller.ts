import { create, toBinary, type DescMessage, type Message } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { Metadata, status } from '@grpc/grpc-js';
import { StatusSchema } from '../../src/upstreams/grpc/gen/google/rpc/status_pb.ts';

/** A typed detail of a status, such as a `google.rpc.BadRequest`. */
export type StatusDetail = readonly [schema: DescMessage, message: Message];

/** A gRPC status that a handler answers by throwing. */
export class GrpcError extends Error {
  readonly code: status;
  readonly details: string;
  /** The trailer that carries the typed details (google/rpc/status.proto). */
  readonly metadata: Metadata;

  constructor(code: status, details: string, typed: readonly StatusDetail[] = []) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = new Metadata();
    if (typed.length === 0) return;
    const packed = typed.map(([schema, message]) => anyPack(schema, message));
    const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message: details, details: packed }));
    this.metadata.set('grpc-status-details-bin', Buffer.from(bytes));
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
