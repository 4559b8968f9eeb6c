import type { OwnFields } from '../exchange/own-fields.ts';
import { foldName } from '../exchange/reserved-names.ts';
import type { GatewayConfig } from '../routing/gateway.schema.ts';
import { TRACE_FIELDS } from '../tracing/trace-fields.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { stickyCookieName } from '../upstreams/balancing/sticky-sessions.ts';

/**
 * What no service gets of a client in a configuration. Cookies of one upstream or route stay away from all of them: a browser
 * sends them along wherever their path fits.
 *
 * @param isTraced whether it is said how traces go on, so that nothing a client says of them passes as it is.
 */
export function ownFieldsOf(
  { identity, upstreams }: GatewayConfig,
  { routes }: RouteTable,
  isTraced = false,
): OwnFields {
  const cookies = new Set<string>();
  const token = identity?.tokens.cookie;
  if (token !== undefined && !token.forward) cookies.add(token.name);
  for (const [name, { sticky }] of Object.entries(upstreams))
    if (sticky !== undefined) cookies.add(stickyCookieName(name, sticky));
  for (const { action } of routes) for (const name of action.ownCookies ?? []) cookies.add(name);
  // The usual name of a token is reserved whether there is one or not.
  const names = Object.values(upstreams).flatMap(({ identity: said }) => said?.token?.header ?? []);
  if (isTraced) names.push(...TRACE_FIELDS);
  return Object.freeze({ cookies: Object.freeze([...cookies]), names: new Set(names.map(foldName)) });
}
