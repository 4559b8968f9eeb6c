import type { ConfigFault } from '../config/config-fault.ts';
import { admitsOthers } from './guard-comparison.ts';
import { FaultPlaces, type RouteRemark } from './fault-places.ts';
import { PatternIndex } from './pattern-index.ts';
import type { RouteTable } from './route-table.ts';
import type { Route } from './route.ts';
import { samplePath } from './path-pattern.ts';
import { methodMatches, type MatchSubject } from './segment-tree.ts';
import type { GatewaySource } from './table-builder.ts';

/** So many routes with hosts are looked at for each of those without. */
const MOST_HOSTS = 20;
/** Stands for every method that no route names. */
const OTHERS = 'others';
/** One of each kind of method. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', OTHERS] as const;

/**
 * Warns where a path that is not for everybody falls through to a route that lets others in: with a method that its
 * own route does not take, or with a slash at its end. That may be meant, and so is no fault; it is mostly forgotten.
 */
export function fallThroughs(table: RouteTable, source: GatewaySource): ConfigFault[] {
  const places = new FaultPlaces(source);
  const handlers = new PatternIndex<Route>();
  for (const route of table.routes) if (route.door === 'handler') handlers.add(route.pattern, route);
  const hosted = hostedRoutes(table.routes);
  return table.routes
    .filter((route) => route.policies.authentication !== 'public')
    .flatMap((route) => [...remarksOn(route, table, handlers), ...hostRemarks(route, table, hosted)])
    .map((remark) => places.place(remark));
}

// Of thousands of hosts with the same path and the same guard one says it all.
function hostedRoutes(routes: readonly Route[]): PatternIndex<Route> {
  const hosted = new PatternIndex<Route>();
  const known = new Set<string>();
  for (const route of routes) {
    if (route.match.hosts.length === 0 || route.door === 'handler') continue;
    const key = JSON.stringify([
      route.pattern.source,
      route.policies.authentication,
      route.policies.authorization,
    ]);
    if (!known.has(key)) hosted.add(route.pattern, route);
    known.add(key);
  }
  return hosted;
}

// A route that names a host goes before one that names none, whatever their paths are.
function hostRemarks(route: Route, table: RouteTable, hosted: PatternIndex<Route>): RouteRemark[] {
  if (route.match.hosts.length > 0 || route.door === 'handler') return [];
  const method = route.match.methods[0] ?? 'GET';
  const asked = ask(route, method, samplePath(route.pattern));
  for (const { match } of hosted.covering(route.pattern, MOST_HOSTS)) {
    const host = (match.hosts[0] ?? '').replace(/^\*/, 'any');
    const taker = table.peek({ ...asked, host });
    if (taker !== undefined && leaksInto(route, taker)) return [hostRemark(route, taker, host)];
  }
  return [];
}

function hostRemark(route: Route, taker: Route, host: string): RouteRemark {
  const message =
    `${route.pattern.source} of the host ${host} is taken by ${nameOf(taker)}, which lets others in; ` +
    'declare a route with that host for it, or give this one a higher `priority`';
  return { definition: route, key: ['match', 'hosts'], message };
}

function remarksOn(route: Route, table: RouteTable, handlers: PatternIndex<Route>): RouteRemark[] {
  const path = samplePath(route.pattern);
  // Fastify gives a controller every path of its pattern, whatever the route table says.
  const owners = route.door === 'handler' ? [] : handlers.covering(route.pattern);
  const leaks = new Map<Route, string[]>();
  for (const method of METHODS) {
    const owner = owners.find((handler) => methodMatches(handler, method));
    const taker = owner ?? table.peek(ask(route, method, path));
    if (taker === undefined || !leaksInto(route, taker)) continue;
    leaks.set(taker, [...(leaks.get(taker) ?? []), method]);
  }
  const remarks = [...leaks].map(([taker, methods]) => methodRemark(route, taker, methods));
  const isOther = route.paths.trailingSlash === 'distinct';
  const slashed = route.pattern.wildcard || isOther ? undefined : slashTaker(route, table, path);
  return slashed === undefined ? remarks : [...remarks, slashRemark(route, slashed)];
}

// Another route of the same pattern is meant: that is how the methods of one path are told apart.
function leaksInto(route: Route, taker: Route): boolean {
  return taker.pattern.source !== route.pattern.source && admitsOthers(taker, route);
}

function slashTaker(route: Route, table: RouteTable, path: string): Route | undefined {
  for (const method of METHODS) {
    const taker = table.peek(ask(route, method, route.pattern.slash ? path.slice(0, -1) : `${path}/`));
    if (taker !== undefined && leaksInto(route, taker)) return taker;
  }
  return undefined;
}

/** A request of the shape that a route takes. */
export function sampleOf(route: Route, method: string): MatchSubject {
  return ask(route, method, samplePath(route.pattern));
}

function ask({ match, conditions }: Route, method: string, path: string): MatchSubject {
  const host = (match.hosts[0] ?? '').replace(/^\*/, 'any');
  const fields = conditions.filter(({ place, exact }) => place === 'header' && exact !== undefined);
  const headers = Object.fromEntries(fields.map(({ name, exact }) => [name, exact]));
  const request = { headers, rawHeaders: [] } as unknown as MatchSubject['request'];
  const assumed = new Set(conditions.map(({ key }) => key));
  return { path, host, method, request, query: '', assumed };
}

function methodRemark(route: Route, taker: Route, methods: readonly string[]): RouteRemark {
  const names = methods.map((name) => (name === OTHERS ? 'every other method' : name)).join(', ');
  const message =
    `${names} of ${route.pattern.source} can be called through ${nameOf(taker)}, which lets others in; ` +
    'leave `methods` out to have these policies hold for all of them, or declare a route for them';
  return { definition: route, key: ['match', 'methods'], message };
}

function slashRemark(route: Route, taker: Route): RouteRemark {
  const message = `${route.pattern.source}/ is taken by ${nameOf(taker)}, which lets others in; many servers read both paths as one`;
  return { definition: route, key: ['match', 'path'], message };
}

function nameOf({ id, origin, pattern }: Route): string {
  return `the route "${id}" (${pattern.source}, ${origin})`;
}
