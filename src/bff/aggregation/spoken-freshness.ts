import type { IncomingHttpHeaders } from 'node:http';
import type { ServedPart } from '../../calls/call.ts';
import { isIdentityHeader } from '../../exchange/identity-headers.ts';
import { parseCacheControl } from '../../policies/cache/cache-control.ts';
import { freshnessOf, varyNames } from '../../policies/cache/freshness.ts';

/** What an answer of a service says itself about being kept (RFC 9111), as a part of a composed one. */
export function spokenPart(call: string, fields: IncomingHttpHeaders): ServedPart {
  const headers = Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
  const control = fields['cache-control'];
  const directives = parseCacheControl(control === undefined ? undefined : String(control));
  const { storable, freshMs, mayBeStale } = freshnessOf(200, headers, {
    isShared: false,
    isOneUser: true,
    authenticated: false,
  });
  const isPrivate = directives.has('private') || varyNames(headers).some(isIdentityHeader);
  const scope = isPrivate ? 'principal' : directives.has('public') ? 'public' : undefined;
  return { call, source: 'upstream', ageMs: 0, freshForMs: freshMs, scope, storable, mayBeStale };
}
