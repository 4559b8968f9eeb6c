import { withoutChosen } from './chosen-routes.ts';
import { RouteFault } from './route-fault.ts';
import { unequalShares } from './unequal-shares.ts';
import type { Route, RouteDefinition } from './route.ts';
import { shadowedRoutes } from './shadowed-routes.ts';
import { conflictFaults } from './teams/conflicts.ts';

/** Faults that show only when all routes are looked at together. */
export function tableFaults(
  routes: readonly Route[],
  definitionOf: (route: Route) => RouteDefinition,
): RouteFault[] {
  const conflicts = conflictFaults(routes, definitionOf);
  // What somebody else claims as well is told once.
  const told = new Set(conflicts.map(({ definition }) => definition));
  return [
    ...duplicateIds(routes, definitionOf),
    ...conflicts,
    ...overlaps(routes, definitionOf).filter(({ definition }) => !told.has(definition)),
    ...unequalShares(routes, definitionOf),
  ];
}

function duplicateIds(
  routes: readonly Route[],
  definitionOf: (route: Route) => RouteDefinition,
): RouteFault[] {
  const seen = new Map<string, Route>();
  return routes.flatMap((route) => {
    const first = seen.get(route.id);
    if (first === undefined) seen.set(route.id, route);
    if (first === undefined) return [];
    const [one, other] = [definitionOf(first), definitionOf(route)];
    const isSame = one.origin === other.origin;
    // Fails closed: of two classes of one name one would get the policies of the other.
    if (isSame && one.owner === other.owner) return [];
    const by = isSame
      ? `another class ${String((one.owner as { name?: unknown }).name)}; rename one of them`
      : one.origin;
    return [new RouteFault(other, ['id'], `the id "${route.id}" is taken by ${by}`)];
  });
}

function overlaps(routes: readonly Route[], definitionOf: (route: Route) => RouteDefinition): RouteFault[] {
  return [...shadowedRoutes(withoutChosen(routes))].map(([route, shadow]) => {
    const what = route.matchKey !== undefined ? `${route.pattern.source} ` : '';
    const message = `${what}can never be reached: ${shadow.origin} (route "${shadow.id}", ${shadow.pattern.source}) takes the same requests first`;
    return new RouteFault(definitionOf(route), ['match'], message);
  });
}
