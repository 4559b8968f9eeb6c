import { excludeEachOther } from '../conditions.ts';
import { segmentKey } from '../path-pattern.ts';
import { RouteFault } from '../route-fault.ts';
import type { Route, RouteDefinition } from '../route.ts';
import { methodMatches } from '../segment-tree.ts';

/**
 * Finds routes of one team that another one has as well, or the gateway's own file, or its code: the same path, host and method. What
 * of one file is settled by order, or by a condition, is nobody's to settle between two. Each is told in its own file, and names
 * the other.
 */
export function conflictFaults(
  routes: readonly Route[],
  definitionOf: (route: Route) => RouteDefinition,
): RouteFault[] {
  if (routes.every(({ team }) => team === undefined)) return [];
  // By the team as well: one with a thousand routes of one path has nothing to settle with itself.
  const groups = new Map<string, Map<string | undefined, Route[]>>();
  const faults = new Map<Route, RouteFault>();
  const tell = (route: Route, other: Route): void => {
    if (route.team === undefined || faults.has(route)) return;
    const whose = other.team === undefined ? '' : ` of the team ${other.team}`;
    const message = `${route.pattern.source} is also claimed by ${other.origin} (route "${other.id}"${whose})`;
    faults.set(route, new RouteFault(definitionOf(route), ['match'], message));
  };
  for (const route of routes) {
    if (route.action.isPending === true) continue;
    for (const key of keysOf(route)) {
      const byTeam = groups.get(key) ?? new Map<string | undefined, Route[]>();
      groups.set(key, byTeam);
      const others = [...byTeam].flatMap(([team, some]) => (team === route.team ? [] : some));
      for (const other of others.filter((one) => meet(route, one))) {
        tell(route, other);
        tell(other, route);
      }
      const own = byTeam.get(route.team);
      if (own === undefined) byTeam.set(route.team, [route]);
      else own.push(route);
    }
  }
  return [...faults.values()];
}

function keysOf({ pattern, match }: Route): readonly string[] {
  const shape = [pattern.segments.map(segmentKey), pattern.wildcard, pattern.slash, pattern.verb];
  return [...new Set(match.hosts.length === 0 ? [''] : match.hosts)].map((host) =>
    JSON.stringify([host, shape]),
  );
}

function meet(one: Route, other: Route): boolean {
  const { methods } = one.match;
  const share = methods.length === 0 || methods.some((method) => methodMatches(other, method));
  const isHead = other.match.methods.some((method) => methodMatches(one, method));
  if (!share && !isHead) return false;
  return !one.conditions.some((condition) =>
    other.conditions.some((rival) => excludeEachOther(condition, rival)),
  );
}
