import { z } from 'zod';
import { isSaneHost } from '../../exchange/absolute-form.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { TOKEN } from '../../config/field-name.ts';

/** The name of a proxy, or where it listens (RFC 9110 section 7.6.3). */
const RECEIVED_BY = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?::\d{1,5})?$/;
const IPV4 = /^[\d.]+$/;

/** What the `Host` field of proxied requests says. */
export const hostOption = z
  .string()
  .refine(isSaneHost, 'expected `keep`, `target`, or a host, such as api.example.com or api.example.com:8080')
  .describe(
    'Host field of requests: `keep` for the one that the client of a proxied request has asked for, `target` for that of the target, or a name, which calls say as well.',
  );

/** How upstreams are told of the client and of the gateway; keys of an upstream. */
export const proxyFieldKeys = {
  host: hostOption.default('target'),
  forwarded: z
    .enum(['xForwarded', 'rfc7239', 'both'])
    .default('xForwarded')
    .describe(
      'How proxied requests tell of their client: by X-Forwarded-* fields, by `Forwarded` (RFC 7239), or by both. Default xForwarded.',
    ),
  via: z
    .string()
    .regex(RECEIVED_BY, 'expected a name of the gateway, perhaps with a port, such as edge-1')
    .max(255)
    .optional()
    .describe(
      'Name of the gateway in the `Via` field of proxied requests and their answers. Default: no such field.',
    ),
};

/** What the options of an upstream say. */
export interface ProxyFieldOptions {
  readonly forwarded: 'xForwarded' | 'rfc7239' | 'both';
  readonly via?: string | undefined;
}

/** What the requests of one route say of their way; made when the route is compiled. */
export interface ProxyFields {
  readonly saysXForwarded: boolean;
  readonly saysForwarded: boolean;
  /** Ends an entry of `Via`. */
  readonly via: string | undefined;
  /** What was taken from the path of the request. */
  readonly prefix: string | undefined;
}

/** Compiles what is not as usual; undefined for the fields that every request has and no others. */
export function compileProxyFields(
  { forwarded, via }: ProxyFieldOptions,
  prefix: string | undefined,
): ProxyFields | undefined {
  if (forwarded === 'xForwarded' && via === undefined && prefix === undefined) return undefined;
  return Object.freeze({
    saysXForwarded: forwarded !== 'rfc7239',
    saysForwarded: forwarded !== 'xForwarded',
    via: via === undefined ? undefined : ` ${via}`,
    prefix,
  });
}

/** Adds what a request says of its way, to a flat list of names and values. */
export function addProxyFields(out: string[], exchange: Exchange, fields: ProxyFields | undefined): void {
  if (fields === undefined) return addXForwarded(out, exchange);
  if (fields.saysXForwarded) {
    addXForwarded(out, exchange);
    if (fields.prefix !== undefined) out.push('x-forwarded-prefix', fields.prefix);
  }
  if (fields.saysForwarded) out.push('forwarded', forwardedOf(exchange));
  // A line of its own goes on with the list of those that the client may have sent.
  if (fields.via !== undefined) out.push('via', exchange.request.httpVersion + fields.via);
}

// The client's own chain went with the other forwarding fields: the address was taken from it at `open`, as far as trusted
// proxies vouch for it.
function addXForwarded(out: string[], { clientAddress, scheme, request }: Exchange): void {
  const { host } = request.headers;
  out.push('x-forwarded-for', clientAddress, 'x-forwarded-proto', scheme);
  if (host !== undefined) out.push('x-forwarded-host', host);
}

/** RFC 7239 sections 4 to 6. */
function forwardedOf({ clientAddress, scheme, request }: Exchange): string {
  const { host } = request.headers;
  const said = `for=${nodeOf(clientAddress)};proto=${scheme}`;
  return host === undefined ? said : `${said};host=${TOKEN.test(host) ? host : `"${host}"`}`;
}

function nodeOf(address: string): string {
  if (IPV4.test(address)) return address;
  return address.includes(':') ? `"[${address}]"` : 'unknown';
}
