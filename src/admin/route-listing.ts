import type { Route } from '../routing/route.ts';

/** One route as operators see it, in `gatehouse routes` and at the admin listener. */
export interface ListedRoute {
  readonly id: string;
  readonly door: 'proxy' | 'handler';
  readonly methods: string;
  readonly host: string;
  readonly path: string;
  readonly upstream: string;
  readonly authentication: string;
  readonly authorization: string;
  readonly limits: string;
  readonly stages: string;
  readonly origin: string;
}

/** Lists routes by path, then by method. */
export function describeRoutes(routes: readonly Route[]): ListedRoute[] {
  return routes
    .map(describeRoute)
    .sort((a, b) => compare(a.path, b.path) || compare(a.methods, b.methods) || compare(a.id, b.id));
}

function describeRoute(route: Route): ListedRoute {
  const { authentication, authorization, rateLimit } = route.policies;
  const conditions = Object.entries(route.match.headers).map(([name, value]) => ` [${name}: ${value}]`);
  return {
    id: route.id,
    door: route.door,
    methods: route.match.methods.join(',') || '*',
    host: route.match.hosts.join(',') || '*',
    path: route.pattern.source + conditions.join(''),
    upstream: route.upstream ?? route.action.target ?? '-',
    authentication:
      typeof authentication === 'object' ? authentication.schemes.join(',') : (authentication ?? '-'),
    authorization:
      Object.entries(authorization ?? {})
        .map(([kind, names]) => `${kind}(${(names ?? []).join(',')})`)
        .join(' ') || '-',
    limits:
      (rateLimit ?? [])
        .map(({ key, rate, per, burst }) => `${key} ${rate}/${per}ms burst ${burst}`)
        .join('; ') || '-',
    stages: route.stages.map((stage) => stage.name).join(' → ') || '-',
    origin: route.origin,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
