import { schemesOf } from '../policies/authentication/requirement.ts';
import type { GatewayConfig } from '../routing/gateway.schema.ts';
import type { DeclaredPolicies, RouteDefinition } from '../routing/route.ts';
import { QUOTAS_ACTION } from './quotas.action.ts';

/** Id of the route that is there by itself. */
export const QUOTAS_ROUTE_ID = 'gatehouse-quota';

const DEFAULT_PATH = '/quota';
const ORIGIN = 'quotas';

/**
 * The route on which callers look at their own quotas: where the file says so, else `/quota` as soon as there is a quota in the
 * file and no route of that path.
 */
export function quotasRoutes(config: GatewayConfig): readonly RouteDefinition[] {
  const { quotas } = config;
  if (quotas === 'off') return [];
  const path = quotas?.path ?? DEFAULT_PATH;
  const isTaken = config.routes.some(({ match }) => match?.path === path);
  if (quotas === undefined && (isTaken || !levelsOf(config).some(hasQuota))) return [];
  const authentication = authenticationOf(config);
  // Nobody could ask: whoever is counted is counted by address.
  if (authentication === undefined && quotas?.policies?.authentication === undefined) return [];
  return [
    {
      id: QUOTAS_ROUTE_ID,
      door: 'proxy',
      origin: ORIGIN,
      match: { methods: ['GET'], hosts: [], path, headers: {} },
      matchKey: ORIGIN,
      action: QUOTAS_ACTION,
      policies: [
        quotas?.policies ?? {},
        // Looking uses up nothing, is everybody's right, and answers to one caller only.
        { authorization: 'off', cache: 'off', externalAuthorization: 'off', quota: 'off', authentication },
      ],
    },
  ];
}

/** What the file says policies for, the widest first. */
function levelsOf({ defaults, upstreams, graphql, routes }: GatewayConfig): readonly DeclaredPolicies[] {
  return [
    defaults.policies ?? {},
    ...Object.values(upstreams).map(({ policies }) => policies ?? {}),
    graphql.policies ?? {},
    ...routes.map(({ policies }) => policies ?? {}),
  ];
}

function hasQuota({ quota }: DeclaredPolicies): boolean {
  return quota !== undefined && quota !== 'off';
}

/** As the defaults say; where those leave it to routes, as any of those that have a quota of their own. */
function authenticationOf(config: GatewayConfig): DeclaredPolicies['authentication'] {
  const [defaults, ...others] = levelsOf(config).map((level) => ({
    hasQuota: hasQuota(level),
    asked: typeof level.authentication === 'object' ? level.authentication : undefined,
  }));
  if (defaults?.asked !== undefined) return defaults.asked;
  const schemes = others.flatMap((one) => (one.hasQuota && one.asked ? schemesOf(one.asked) : []));
  return schemes.length === 0 ? undefined : { schemes: [...new Set(schemes)] };
}
