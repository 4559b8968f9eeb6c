import { toJsonString } from '@bufbuild/protobuf';
import type { Exchange } from '../../exchange/exchange.ts';
import type { TemplateScope } from '../../templates/template-scope.ts';
import { headOfCall } from '../../upstreams/grpc/call-head.ts';
import { outboundFields } from '../../upstreams/grpc/outbound-metadata.ts';
import { callFields, callHost } from '../../upstreams/http/call-fields.ts';
import type { Target } from '../../upstreams/target.ts';
import type { Http1Pool } from '../../upstreams/transport/http1/http1-pool.ts';
import type { Upstream } from '../../upstreams/upstream.ts';
import type { CallForeseen } from './aggregate-calls.ts';
import type { GrpcOperation, HttpOperation } from './aggregate.ts';
import { messageOf } from './call-message.ts';

/** What a call is told of. */
interface About {
  readonly exchange: Exchange;
  readonly upstream: Upstream | undefined;
  readonly scope: TemplateScope;
  /** Time that the call has, besides the deadline; in ms. */
  readonly limitMs: number;
}

/** The request of a call over HTTP. @throws {Problem} when a value that it needs is missing. */
export function foreseenHttp(
  { target: path }: HttpOperation,
  { exchange, upstream, scope, limitMs }: About,
): CallForeseen {
  const asked = path(scope);
  return {
    upstream,
    headFor(target) {
      const leftMs = Math.min(exchange.remainingMs(), limitMs);
      const fields = callFields(exchange, upstream, { leftMs, hasBody: false });
      const host = upstream && callHost(upstream);
      // Targets of upstreams of HTTP have one.
      const { http1 } = target as Target;
      return (http1 as Http1Pool).headOf({ method: 'GET', path: asked, fields, host, body: null });
    },
  };
}

/** The request of a call of gRPC. @throws {Problem} when a value that it needs is missing, or does not fit. */
export function foreseenGrpc(
  operation: GrpcOperation,
  { exchange, upstream, scope, limitMs }: About,
): CallForeseen {
  const { method, registry } = operation;
  const json = toJsonString(method.input, messageOf(operation, scope), { registry });
  const path = `/${method.parent.typeName}/${method.name}`;
  return {
    upstream,
    headFor: (target) =>
      headOfCall(exchange, target, { path, fields: outboundFields(exchange, upstream), limitMs, upstream }),
    body: { bytes: Buffer.from(json), as: `message ${method.input.typeName}` },
  };
}
