import type { Aggregate } from '../aggregate/aggregate.ts';
import type { GatewayConfig, RouteConfig } from '../gateway.schema.ts';
import type { RouteDefinition } from '../route.ts';

/**
 * Makes route definitions of the `routes:` section; those with `grpc` come from their schema instead.
 *
 * @param originOf says where the route at an index stands, for messages.
 * @param aggregates what the routes at these indexes are composed of.
 */
export function yamlRoutes(
  config: GatewayConfig,
  originOf: (index: number) => string,
  aggregates: ReadonlyMap<number, Aggregate> = new Map(),
): RouteDefinition[] {
  return config.routes.flatMap((route, index) => {
    if (route.match === undefined) return [];
    const definition = definitionOf(route, route.match, originOf(index));
    const aggregate = aggregates.get(index);
    return [aggregate === undefined ? definition : { ...definition, aggregate }];
  });
}

function definitionOf(
  route: RouteConfig,
  match: NonNullable<RouteConfig['match']>,
  origin: string,
): RouteDefinition {
  const headers = Object.entries(match.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    id: route.id,
    door: 'proxy',
    origin,
    match: {
      methods: match.methods ?? (route.aggregate === undefined ? [] : ['GET']),
      hosts: match.hosts ?? [],
      path: match.path,
      headers: Object.fromEntries(headers) as Record<string, string>,
    },
    upstream: route.upstream,
    rewrite: route.rewrite,
    policies: [route.policies ?? {}],
  };
}
