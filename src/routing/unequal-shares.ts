import { policyList } from '../policies/order.ts';
import type { SharedOptions } from '../policies/policy-facts.ts';
import { RouteFault } from './route-fault.ts';
import type { Route, RouteDefinition } from './route.ts';

/** The policies of which routes can have something in common; a table of thousands asks no others. */
const SHARING = policyList.filter(({ shared }) => shared !== undefined);

interface Said {
  readonly route: Route;
  readonly shared: SharedOptions;
}

/**
 * Finds what routes have in common by a name and do not say alike: of two sizes of one thing each would hold for some requests,
 * and nobody could tell which.
 */
export function unequalShares(
  routes: readonly Route[],
  definitionOf: (route: Route) => RouteDefinition,
): RouteFault[] {
  return SHARING.flatMap((policy) => {
    const first = new Map<string, Said>();
    return routes.flatMap((route) => {
      const options: unknown = (route.policies as Readonly<Record<string, unknown>>)[policy.name];
      if (options === undefined) return [];
      return (policy.shared?.(options) ?? []).flatMap((shared) => {
        const said = first.get(shared.name);
        if (said === undefined) first.set(shared.name, { route, shared });
        const term = said && differing(said.shared, shared);
        if (said === undefined || term === undefined) return [];
        const key = ['policies', policy.name, ...shared.key, term];
        return [new RouteFault(definitionOf(route), key, messageOf(said, term))];
      });
    });
  });
}

function differing({ terms: some }: SharedOptions, { terms: others }: SharedOptions): string | undefined {
  return Object.keys(some).find((term) => JSON.stringify(some[term]) !== JSON.stringify(others[term]));
}

function messageOf({ route: { id, origin }, shared: { name } }: Said, term: string): string {
  return `expected the same \`${term}\` as ${origin} (route "${id}") says: both have the ${name}`;
}
