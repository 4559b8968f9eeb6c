import { subsetOf } from '../exchange/subset.ts';
import type { GatewayConfig, RouteConfig } from './gateway.schema.ts';
import type {
  ActionDefinition,
  ActionSource,
  ReadRoutes,
  RouteReading,
  SourceFault,
} from './route-action.ts';
import type { MatchConditions } from './match.schema.ts';
import type { RouteDefinition, RouteMatch, ValueMatches } from './route.ts';

/**
 * Makes definitions of the `routes:` section, each by the source of its kind.
 *
 * @param originOf says where the route at an index stands, for messages.
 * @param teamOf says whose a route is. Default: none is a team's.
 */
export function readRoutes(
  config: GatewayConfig,
  originOf: (index: number) => string,
  sources: readonly ActionSource[],
  teamOf?: (index: number) => string | undefined,
): ReadRoutes {
  const faults: SourceFault[] = [];
  const told = new Set<string>();
  const all = config.routes.flatMap((route, index) => {
    const read = sourceOf(route, sources)?.read({ config, route, index, origin: originOf(index) });
    for (const fault of read?.faults ?? []) {
      // Several routes can be offered from one schema, which is at fault once.
      const text = `${fault.path.join()}\n${fault.message}`;
      if (!told.has(text)) faults.push(fault);
      told.add(text);
    }
    const definitions = read?.definitions ?? [];
    const team = teamOf?.(index);
    return team === undefined ? definitions : definitions.map((one) => ({ ...one, team }));
  });
  return { definitions: all, faults };
}

/** The source of the kind that a route is of: the last whose key it has, else the one without a key. */
export function sourceOf(
  route: Readonly<Record<string, unknown>>,
  sources: readonly ActionSource[],
): ActionSource | undefined {
  return (
    sources.findLast(({ key }) => key !== undefined && route[key] !== undefined) ??
    sources.find(({ key }) => key === undefined)
  );
}

/** The definition of a route that says itself what it matches. */
export function definitionOf(
  { route, origin }: RouteReading,
  action: ActionDefinition,
  methods: readonly string[] = [],
): RouteDefinition {
  return {
    id: route.id,
    door: 'proxy',
    origin,
    match: matchOf(route, methods),
    priority: route.priority,
    paths: route.paths,
    upstream: route.upstream,
    retry: route.retry,
    subset: subsetOf(route),
    hedge: route.hedge,
    identity: route.identity,
    action,
    policies: [route.policies ?? {}],
  };
}

function matchOf({ match }: RouteConfig, methods: readonly string[]): RouteMatch {
  return {
    methods: match?.methods ?? methods,
    ...conditionsOf(match),
    // Whoever has no `match` has a source that makes one.
    path: match?.path ?? '/',
  };
}

/** What is declared of a request besides its method and path, as routes have it. */
export function conditionsOf(declared: MatchConditions | undefined): Omit<RouteMatch, 'methods' | 'path'> {
  const { hosts = [], headers = {}, query, cookies, ports, except } = declared ?? {};
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    hosts,
    headers: Object.fromEntries(lower) as ValueMatches,
    ...(query === undefined ? {} : { query }),
    ...(cookies === undefined ? {} : { cookies }),
    ...(ports === undefined ? {} : { ports }),
    ...(except === undefined ? {} : { except }),
  };
}
