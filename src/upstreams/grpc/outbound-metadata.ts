import { Metadata } from '@grpc/grpc-js';
import type { Exchange } from '../../exchange/exchange.ts';
import { identityHeaders } from '../../exchange/identity-headers.ts';
import { traceparentOf } from '../../telemetry/trace-context.ts';

const PRINTABLE = /^[ -~]*$/;

/** What every call of an exchange carries: the verified identity, the trace and the request id. */
export function outboundMetadata(exchange: Exchange): Metadata {
  const metadata = new Metadata();
  metadata.set('x-request-id', exchange.id);
  metadata.set('traceparent', traceparentOf(exchange.trace));
  const { state } = exchange.trace;
  // A client may put bytes into its `tracestate` that metadata cannot carry; its trace goes on without them.
  if (state !== undefined && PRINTABLE.test(state)) metadata.set('tracestate', state);
  const identity = identityHeaders(exchange.principal);
  for (let i = 0; i < identity.length; i += 2) metadata.set(identity[i] as string, identity[i + 1] as string);
  return metadata;
}
