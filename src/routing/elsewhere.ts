import { isDeepStrictEqual } from 'node:util';
import type { PolicySet } from '../policies/order.ts';
import { passedFields } from './passed-fields.ts';
import { ActionError, type RouteAction } from './route-action.ts';
import { RouteFault } from './route-fault.ts';
import { checkedSubset, hedgeOf } from './route-upstream.ts';
import type { DeclaredPolicies, RouteDefinition } from './route.ts';

/** Policies that decide whose requests pass. */
const GUARDS: ReadonlySet<string> = new Set([
  'authentication', 'authorization', 'bodyAuthorization', 'externalAuthorization', 'ipAccess',
]); // prettier-ignore

/**
 * Looks whether what a route says of its upstream goes with the others that its requests are shared with, and whether the route has
 * what policies these say for whoever leads to them; of those that get copies, what keeps callers out.
 *
 * @throws {RouteFault} at the key that names the first one with which it does not.
 */
export function checkElsewhere(
  definition: RouteDefinition,
  action: RouteAction,
  policies: PolicySet,
  saidBy: Readonly<Record<string, DeclaredPolicies>>,
): void {
  const { elsewhere = [], copiedTo = [] } = action;
  // Fails closed: whoever says it at an upstream counts on it for all that comes there.
  const missing = (
    upstream: string,
    isMeant: (policy: string, options: unknown) => boolean,
  ): string | undefined =>
    Object.entries(saidBy[upstream] ?? {}).find(
      ([name, options]) => isMeant(name, options) && !isSaid(definition, name, options, policies),
    )?.[0];
  for (const { upstream, key } of elsewhere) {
    const refuse = (message: string): never => {
      throw new RouteFault(definition, key, message);
    };
    try {
      checkedSubset(definition, upstream);
      hedgeOf(definition, upstream, action);
      passedFields(definition, policies, upstream);
    } catch (error) {
      if (!(error instanceof RouteFault || error instanceof ActionError)) throw error;
      refuse(
        `\`${error.key.join('.')}\` of the route does not go with the upstream "${upstream.name}": ${error.message}`,
      );
    }
    const name = missing(upstream.name, () => true);
    if (name !== undefined)
      refuse(
        `the upstream "${upstream.name}" says \`${name}\` for the routes that lead to it, and this one has something else; say \`${name}\` at the route`,
      );
  }
  for (const { upstream, key } of copiedTo) {
    const name = missing(upstream.name, keepsOut);
    if (name === undefined) continue;
    const message = `the upstream "${upstream.name}" says \`${name}\` for whoever comes to it, and requests would be copied to it without; say \`${name}\` at the route`;
    throw new RouteFault(definition, key, message);
  }
}

function keepsOut(policy: string, options: unknown): boolean {
  return GUARDS.has(policy) && options !== 'off' && options !== 'public';
}

function isSaid(
  { policies: levels }: RouteDefinition,
  name: string,
  options: unknown,
  policies: PolicySet,
): boolean {
  if (levels.some((level) => (level as Readonly<Record<string, unknown>>)[name] !== undefined)) return true;
  const inForce = (policies as Readonly<Record<string, unknown>>)[name];
  return isDeepStrictEqual(inForce, options === 'off' ? undefined : options);
}
