import { Metadata } from '@grpc/grpc-js';
import type { Exchange } from '../../exchange/exchange.ts';
import { addTraceFields } from '../../telemetry/trace-context.ts';
import { signedFor, toldTo } from '../identity/service-identity.ts';
import type { Upstream } from '../upstream.ts';

type ToldUpstream = Pick<Upstream, 'identity'>;

const PRINTABLE = /^[ -~]*$/;

/**
 * What every call of an exchange carries: the verified identity, the trace and the request id, as a flat list of
 * names and values.
 *
 * @param upstream undefined where nobody knows it yet.
 */
export function outboundFields(exchange: Exchange, upstream: ToldUpstream | undefined): string[] {
  const { id, trace, principal } = exchange;
  const fields = ['x-request-id', id];
  addTraceFields(fields, trace);
  // A client may put bytes into its `tracestate` that metadata cannot carry; its trace goes on without them.
  if (trace.state !== undefined && !PRINTABLE.test(trace.state))
    fields.splice(fields.indexOf('tracestate'), 2);
  const identity = identityFields(toldTo(upstream, principal));
  for (let i = 0; i < identity.length; i += 1) fields.push(identity[i] as string);
  return fields;
}

/** What the target that was just chosen gets of those fields: with tokens of its own, and as its labels want them edited. */
export function fieldsForTarget(
  all: readonly string[],
  exchange: Exchange,
  upstream: ToldUpstream | undefined,
): readonly string[] {
  const { targetEdits } = exchange;
  const fields = signedFor(upstream, all, exchange);
  if (targetEdits === undefined) return fields;
  const edited = targetEdits.requestFields([...fields], exchange);
  const sent: string[] = [];
  for (let i = 0; i < edited.length; i += 2) {
    const [name, value] = [(edited[i] as string).toLowerCase(), edited[i + 1] as string];
    // What metadata cannot carry, and what is the call's own to say, is left out.
    if (PRINTABLE.test(value) && !name.startsWith('grpc-')) sent.push(name, value);
  }
  return sent;
}

/** Metadata of grpc-js of a flat list of names and values; those of names that end in `-bin` are base64. */
export function metadataOf(fields: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string];
    metadata.set(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
  return metadata;
}

const lowerCased = new WeakMap<readonly string[], readonly string[]>();

/** The identity headers of a principal with names in lower case, as HTTP/2 demands (RFC 9113 section 8.2.1); made once. */
function identityFields(headers: readonly string[]): readonly string[] {
  let fields = lowerCased.get(headers);
  if (fields === undefined) {
    fields = Object.freeze(headers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)));
    lowerCased.set(headers, fields);
  }
  return fields;
}
