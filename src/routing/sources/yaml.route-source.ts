import type { GatewayConfig, RouteConfig } from '../gateway.schema.ts';
import type { RouteDefinition } from '../route.ts';

/**
 * Makes route definitions of the `routes:` section.
 *
 * @param originOf says where the route at an index stands, for messages.
 */
export function yamlRoutes(config: GatewayConfig, originOf: (index: number) => string): RouteDefinition[] {
  return config.routes.map((route, index) => definitionOf(route, originOf(index)));
}

function definitionOf(route: RouteConfig, origin: string): RouteDefinition {
  const headers = Object.entries(route.match.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  return {
    id: route.id,
    door: 'proxy',
    origin,
    match: {
      methods: route.match.methods ?? [],
      hosts: route.match.hosts ?? [],
      path: route.match.path,
      headers: Object.fromEntries(headers) as Record<string, string>,
    },
    upstream: route.upstream,
    rewrite: route.rewrite,
    policies: [route.policies ?? {}],
  };
}
