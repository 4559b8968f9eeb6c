import type { Exchange } from '../../exchange/exchange.ts';
import { identityHeaders } from '../../exchange/identity-headers.ts';
import { editHeaders, type HeaderEdits } from '../../policies/transform/header-edits.ts';
import { traceparentOf } from '../../telemetry/trace-context.ts';
import { FieldNames } from './field-names.ts';

const names = new FieldNames();

/** The names that a `Connection` header lists; those fields are hop-by-hop for this message too. */
export function connectionNames(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

/**
 * Builds the fields that the upstream gets, as a flat list. First everything is removed that a client may not
 * say: hop-by-hop fields, those that `Connection` lists, the gateway's own fields, those of identity and forwarding, and
 * what services may take for their word, each in every spelling. Only then are ours added, so that no client can make
 * us drop them.
 *
 * @param passed lower-case names of fields that services may take for the gateway's word and yet are let through.
 */
export function outboundHeaders(
  exchange: Exchange,
  edits: HeaderEdits | undefined,
  passed?: ReadonlySet<string>,
): string[] {
  const raw = exchange.request.rawHeaders;
  const listed = connectionNames(exchange.request.headers.connection);
  const out: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const { lower, folded, fate } = names.of(raw[i] as string);
    if (fate !== 'pass' && (fate === 'kept' || passed?.has(lower) !== true)) continue;
    if (listed?.has(lower) || isGatewayKey(lower, raw[i + 1] as string)) continue;
    // What the route sets or removes is not the client's to say in another spelling either.
    if (edits?.folded.has(folded) === true) continue;
    out.push(lower, raw[i + 1] as string);
  }
  addOwn(out, exchange);
  // Last, so that what the configuration sets or removes holds for the gateway's own fields too.
  if (edits !== undefined) editHeaders(out, edits);
  return out;
}

// An API key is a secret between the client and the gateway; a bearer token may be meant for the service too.
function isGatewayKey(name: string, value: string): boolean {
  return name === 'authorization' && /^apikey\s/i.test(value);
}

function addOwn(out: string[], exchange: Exchange): void {
  const host = exchange.request.headers.host;
  // The client's own chain went with the other forwarding fields: the address was taken from it at `open`,
  // as far as trusted proxies vouch for it.
  out.push('x-forwarded-for', exchange.clientAddress, 'x-forwarded-proto', exchange.scheme);
  if (host !== undefined) out.push('x-forwarded-host', host);
  out.push('x-request-id', exchange.id, 'traceparent', traceparentOf(exchange.trace));
  if (exchange.trace.state !== undefined) out.push('tracestate', exchange.trace.state);
  if (exchange.deadlineAt !== Infinity) {
    out.push('x-request-deadline-ms', String(Math.floor(exchange.remainingMs())));
  }
  if (exchange.principal !== undefined) out.push(...identityHeaders(exchange.principal));
}
