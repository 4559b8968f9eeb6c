import { isDeepStrictEqual } from 'node:util';
import type { PolicySet } from '../policies/order.ts';
import { passedFields } from './passed-fields.ts';
import { ActionError, type RouteAction } from './route-action.ts';
import { RouteFault } from './route-fault.ts';
import { checkedSubset, hedgeOf } from './route-upstream.ts';
import type { DeclaredPolicies, RouteDefinition } from './route.ts';

/**
 * Looks whether what a route says of its upstream goes with the others that its requests are shared with, and whether the route has
 * what policies these say for whoever leads to them.
 *
 * @throws {RouteFault} at the key that names the first one with which it does not.
 */
export function checkElsewhere(
  definition: RouteDefinition,
  action: RouteAction,
  policies: PolicySet,
  saidBy: Readonly<Record<string, DeclaredPolicies>>,
): void {
  for (const { upstream, key } of action.elsewhere ?? []) {
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
    const said = Object.entries(saidBy[upstream.name] ?? {});
    const [name] = said.find(([one, options]) => !isSaid(definition, one, options, policies)) ?? [];
    // Fails closed: whoever says it at an upstream counts on it for all that comes there.
    if (name !== undefined)
      refuse(
        `the upstream "${upstream.name}" says \`${name}\` for the routes that lead to it, and this one has something else; say \`${name}\` at the route`,
      );
  }
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
