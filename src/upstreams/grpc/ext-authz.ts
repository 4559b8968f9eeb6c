import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import {
  Authorization,
  CheckRequestSchema,
  CheckResponseSchema,
  type HeaderValueOption,
} from './gen/envoy/service/auth/v3/external_auth_pb.ts';
import { outboundFields } from './outbound-metadata.ts';
import type { AuthorizationCheck, AuthorizationVerdict } from '../../exchange/authorization-check.ts';
import type { CallLimits } from '../call-run.ts';
import type { Upstream } from '../upstream.ts';
import type { GrpcCaller } from './grpc-caller.ts';
import type { UnaryMethod } from './unary-run.ts';

const METHOD: UnaryMethod<AuthorizationVerdict> = {
  path: `/${Authorization.typeName}/${Authorization.method.check.name}`,
  // It is a question, and changes nothing.
  idempotent: true,
  read: ({ bytes }) => verdictOf(bytes),
};

/** Asks a service that speaks `envoy.service.auth.v3.Authorization`. @throws {Problem} where it cannot be asked. */
export function checkAuthorization(
  grpc: GrpcCaller,
  upstream: Upstream,
  check: AuthorizationCheck,
  limits: CallLimits,
): Promise<AuthorizationVerdict> {
  const fields = outboundFields(limits.exchange, upstream);
  return grpc.call(
    upstream,
    { method: METHOD, message: messageOf(check, limits.exchange.id), fields },
    limits,
  );
}

function messageOf(check: AuthorizationCheck, id: string): Uint8Array {
  const { method, path, host, scheme, headers, address, principal, context } = check;
  const message = create(CheckRequestSchema, {
    attributes: {
      source: { address: { socketAddress: { address } }, principal },
      request: { http: { id, method, path, host, scheme, headers, size: -1n, protocol: 'HTTP/1.1' } },
      contextExtensions: context,
    },
  });
  return toBinary(CheckRequestSchema, message);
}

function verdictOf(bytes: Uint8Array): AuthorizationVerdict {
  const { status: decided, httpResponse } = fromBinary(CheckResponseSchema, bytes);
  // Fails closed: an answer without a status says OK by its numbers, but not by its words.
  const allowed =
    decided !== undefined && decided.code === status.OK && httpResponse.case !== 'deniedResponse';
  if (httpResponse.case === 'okResponse')
    return { allowed, status: 0, fields: fieldsOf(httpResponse.value.headers), body: '' };
  if (httpResponse.case !== 'deniedResponse') return { allowed, status: 0, fields: [], body: '' };
  const { value } = httpResponse;
  return { allowed, status: value.status?.code ?? 0, fields: fieldsOf(value.headers), body: value.body };
}

function fieldsOf(options: readonly HeaderValueOption[]): string[] {
  return options.flatMap(({ header }) => {
    if (header === undefined) return [];
    return [
      header.key,
      header.rawValue.length > 0 ? Buffer.from(header.rawValue).toString('latin1') : header.value,
    ];
  });
}
