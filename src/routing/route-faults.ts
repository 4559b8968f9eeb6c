import { covers } from './path-pattern.ts';
import { RouteFault } from './route-compiler.ts';
import { methodMatches } from './segment-tree.ts';
import type { Route, RouteDefinition } from './route.ts';

/** Faults that show only when all routes are looked at together. */
export function tableFaults(
  routes: readonly Route[],
  definitionOf: (route: Route) => RouteDefinition,
): RouteFault[] {
  return [...duplicateIds(routes, definitionOf), ...overlaps(routes, definitionOf)];
}

function duplicateIds(
  routes: readonly Route[],
  definitionOf: (route: Route) => RouteDefinition,
): RouteFault[] {
  const seen = new Map<string, Route>();
  return routes.flatMap((route) => {
    const first = seen.get(route.id);
    if (first === undefined) seen.set(route.id, route);
    if (first === undefined || first.origin === route.origin) return [];
    return [new RouteFault(definitionOf(route), ['id'], `the id "${route.id}" is taken by ${first.origin}`)];
  });
}

function overlaps(routes: readonly Route[], definitionOf: (route: Route) => RouteDefinition): RouteFault[] {
  return routes.flatMap((route, index) => {
    if (route.door !== 'proxy') return [];
    const shadow = routes.find((other, at) => hides(other, route, at < index));
    if (shadow === undefined) return [];
    const what = route.matchKey !== undefined ? `${route.pattern.source} ` : '';
    const message = `${what}can never be reached: ${shadow.origin} (route "${shadow.id}", ${shadow.pattern.source}) takes the same requests first`;
    return [new RouteFault(definitionOf(route), ['match'], message)];
  });
}

// Fastify gives a controller every path of its pattern, also where a YAML route would be more specific.
function hides(other: Route, route: Route, standsBefore: boolean): boolean {
  if (other === route || !takesAllMethodsOf(other, route)) return false;
  if (other.door === 'handler') return covers(other.pattern, route.pattern);
  // A route that names its methods is asked before one that takes all, wherever it stands.
  const asSpecific = other.match.methods.length > 0 || route.match.methods.length === 0;
  return standsBefore && asSpecific && sameConditions(other, route);
}

function takesAllMethodsOf(other: Route, route: Route): boolean {
  if (other.match.methods.length === 0) return true;
  return (
    route.match.methods.length > 0 && route.match.methods.every((method) => methodMatches(other, method))
  );
}

function sameConditions(a: Route, b: Route): boolean {
  const shape = (route: Route) =>
    JSON.stringify([
      route.pattern.segments.map((segment) =>
        segment.kind === 'literal' ? segment.text : { parameter: true },
      ),
      route.pattern.wildcard,
      route.pattern.verb,
      [...route.match.hosts].sort(),
      Object.entries(route.match.headers).sort(),
    ]);
  return shape(a) === shape(b);
}
