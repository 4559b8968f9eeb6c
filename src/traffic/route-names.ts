import type { Route } from '../routing/route.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import { UNMATCHED } from './kept-exchange.ts';
import { eachInSlices, firstOf } from './slices.ts';
import type { RouteName } from './traffic-answers.ts';

const SLICE = 500;
const GROUP_SEGMENTS = 2;

/** A route as it is listed, and what counts for it. */
export interface NamedRoute extends RouteName {
  readonly metrics: RouteMetrics;
  readonly origin: string;
  /** All that it may ask. */
  readonly upstreams: readonly string[];
  /** What a search looks at, in lower case. */
  readonly text: string;
}

const known = new WeakMap<Snapshot, Promise<readonly NamedRoute[]>>();

/** The routes of a configuration in the order of their paths, requests that none takes first. Made once, in slices. */
export function routeNames(snapshot: Snapshot, metrics: Metrics): Promise<readonly NamedRoute[]> {
  let names = known.get(snapshot);
  if (names === undefined) known.set(snapshot, (names = read(snapshot, metrics)));
  return names;
}

async function read(snapshot: Snapshot, metrics: Metrics): Promise<readonly NamedRoute[]> {
  const { table, upstreams } = snapshot;
  const names: NamedRoute[] = [];
  // An id stands for several routes where a view or a schema makes them.
  const ids = new Set<string>();
  await eachInSlices(table.routes, SLICE, (route) => {
    if (ids.has(route.id)) return;
    ids.add(route.id);
    names.push(nameOf(route, (name) => upstreams.has(name)));
  });
  const sorted = await firstOf(names, byPath, names.length);
  const unmatched = { id: UNMATCHED, path: '-', methods: '*', upstream: '', group: '-' };
  const rest = { origin: '-', upstreams: [], text: UNMATCHED };
  return [{ ...unmatched, ...rest, metrics: metrics.forRoute(UNMATCHED) }, ...sorted];
}

function byPath(one: NamedRoute, other: NamedRoute): number {
  return compare(one.path, other.path) || compare(one.methods, other.methods) || compare(one.id, other.id);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function nameOf(route: Route, isUpstream: (name: string) => boolean): NamedRoute {
  const path = route.pattern.source;
  const methods = route.match.methods.join(',') || '*';
  const named = (route.upstream ?? route.action.target ?? '').split(/[,\s]+/).filter(isUpstream);
  return {
    id: route.id,
    ...(route.team !== undefined && { team: route.team }),
    path,
    methods,
    upstream: named.join(','),
    group: groupOf(route),
    metrics: route.metrics,
    origin: route.origin,
    upstreams: named,
    text: `${route.id} ${methods} ${route.match.hosts.join(' ')} ${path} ${named.join(' ')}`.toLowerCase(),
  };
}

/** The first segments of a path; the host for one that has none. */
function groupOf({ pattern, match: { hosts } }: Route): string {
  const segments = pattern.segments
    .slice(0, GROUP_SEGMENTS)
    .map((one) => (one.kind === 'literal' ? one.text : `{${one.name}}`));
  return segments.length === 0 && hosts[0] !== undefined ? hosts[0] : `/${segments.join('/')}`;
}
