import type { Exchange } from '../../exchange/exchange.ts';
import { identityHeaders, isIdentityHeader } from '../../exchange/identity-headers.ts';
import { editHeaders, type HeaderEdits } from '../../policies/transform/header-edits.ts';
import { traceparentOf } from '../../telemetry/trace-context.ts';

/** Fields that concern one connection only, and so never travel on (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Fields that the gateway answers for itself: it sets them anew, or keeps them to itself. */
const OWNED: ReadonlySet<string> = new Set([
  'host',
  'expect',
  'x-api-key',
  'x-request-id',
  'x-request-deadline-ms',
  'traceparent',
  'tracestate',
]);

/** Whether a field concerns one connection only. Lower-case name. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** The names that a `Connection` header lists; those fields are hop-by-hop for this message too. */
export function connectionNames(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

/**
 * Builds the fields that the upstream gets, as a flat list. First everything is removed that a client may not
 * say: hop-by-hop fields, those that `Connection` lists, identity and forwarding fields in every spelling.
 * Only then are ours added, so that no client can make us drop them.
 */
export function outboundHeaders(exchange: Exchange, edits: HeaderEdits | undefined): string[] {
  const raw = exchange.request.rawHeaders;
  const listed = connectionNames(exchange.request.headers.connection);
  const out: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (HOP_BY_HOP.has(name) || OWNED.has(name) || isIdentityHeader(name)) continue;
    if (listed?.has(name) || isGatewayKey(name, raw[i + 1] as string)) continue;
    out.push(name, raw[i + 1] as string);
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
