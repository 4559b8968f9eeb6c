import type { UpstreamOptions } from '../../upstreams/upstream.schema.ts';
import type { GatewayConfig, RouteConfig } from '../gateway.schema.ts';
import { boundOf, looser } from './bounds.ts';
import type { Rights } from './include.schema.ts';
import type { Stray } from './strays.ts';
import { upstreamsNamedBy, type UpstreamReference } from './team-names.ts';
import { isTight } from './tightness.ts';

type Said = Readonly<Record<string, unknown>>;

/** What a route of a team is looked at with. */
export interface Surroundings {
  readonly rights: Rights;
  readonly main: GatewayConfig;
  /** Names of the upstreams of the team. */
  readonly own: ReadonlySet<string>;
  /** Those of its file. */
  readonly upstreams: GatewayConfig['upstreams'];
}

/**
 * What a route of a team does with upstreams of the gateway that whoever owns these has not meant: names another host, passes fields
 * of clients that are held back, or comes by another way than `upstream`, as a canary does, and so past the policies of all who
 * come there.
 */
export function sharedStrays(route: RouteConfig, around: Surroundings): Stray[] {
  return upstreamsNamedBy(route).flatMap((reference) => {
    const { path, name } = reference;
    if (around.own.has(name) || !Object.hasOwn(around.main.upstreams, name)) return [];
    const shared = around.main.upstreams[name] as GatewayConfig['upstreams'][string];
    return [
      ...hostStrays(route, reference, shared),
      ...(route.identity === undefined ? [] : fieldStrays(route.identity, shared, name)),
      ...(path.length === 1 ? [] : passedBy(route, reference, around)),
    ];
  });
}

// Behind one address there may be several hosts.
function hostStrays(
  route: RouteConfig,
  { path, name }: UpstreamReference,
  { host }: UpstreamOptions,
): Stray[] {
  const own = [...(path[0] === 'versions' ? path.slice(0, 3) : []), 'host'];
  const said = valueAt(route, own);
  if (said === undefined || said === host) return [];
  const message = `expected what the upstream "${name}" says, \`${host}\`, or nothing: it is the gateway's`;
  return [{ path: own, message }];
}

function fieldStrays(
  said: NonNullable<RouteConfig['identity']>,
  { identity }: UpstreamOptions,
  name: string,
): Stray[] {
  const strays: Stray[] = [];
  const hasOwn = identity?.token !== undefined || identity?.exchange !== undefined;
  const isHeldBack =
    identity?.authorization === 'remove' || (identity?.authorization === undefined && hasOwn);
  if (said.authorization === 'forward' && isHeldBack)
    strays.push({
      path: ['identity', 'authorization'],
      message: `expected \`remove\`, or nothing, as the upstream "${name}" of the gateway has it`,
    });
  const allowed = identity?.allowHeaders;
  for (const [index, field] of (said.allowHeaders ?? []).entries()) {
    if (allowed === undefined || allowed.some((one) => isOf(field, one))) continue;
    const message = `${field} is not one of \`allowHeaders\` of the upstream "${name}" of the gateway`;
    strays.push({ path: ['identity', 'allowHeaders', index], message });
  }
  return strays;
}

function isOf(field: string, allowed: string): boolean {
  return field === allowed || (allowed.endsWith('*') && field.startsWith(allowed.slice(0, -1)));
}

/** What makes nobody safer: a route may do without. */
const NO_GUARD: ReadonlySet<string> = new Set([
  'cache', 'callerPriority', 'circuitBreaker', 'compression', 'deprecation', 'fault', 'idempotency', 'loadShedding', 'serverTiming',
]); // prettier-ignore

// Policies of an upstream are those of the routes that lead there by `upstream`; whoever comes otherwise has to say as much.
function passedBy(route: RouteConfig, { path, name }: UpstreamReference, around: Surroundings): Stray[] {
  const { rights, main, upstreams, own } = around;
  const { upstream = '' } = route;
  const asked = Object.entries(main.upstreams[name]?.policies ?? {}) as readonly [string, unknown][];
  const levels = [
    path[0] === 'versions' ? (valueAt(route, [...path.slice(0, 3), 'policies']) as Said) : undefined,
    route.policies,
    (own.has(upstream) ? upstreams[upstream] : main.upstreams[upstream])?.policies,
    main.defaults.policies,
  ] as readonly (Said | undefined)[];
  return asked.flatMap(([policy, bound]) => {
    if (bound === undefined || bound === 'off' || rights.policies[policy] !== undefined) return [];
    const said = levels.find((level) => level?.[policy] !== undefined)?.[policy];
    if (said === undefined && NO_GUARD.has(policy)) return [];
    if (
      said !== undefined &&
      said !== 'off' &&
      isTight(policy, said, boundOf(policy, rights, { [policy]: bound }))
    )
      return [];
    const message = `the upstream "${name}" asks for \`${policy}\`, and whoever comes to it this way has to ask for as much`;
    return [{ path, message: `${message}; ${looser(policy)}` }];
  });
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (one, key) => (typeof one === 'object' && one !== null ? (one as Said)[key] : undefined),
    value,
  );
}
