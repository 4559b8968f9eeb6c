import type { Exchange } from '../../../exchange/exchange.ts';
import type { DeclaredPolicies, Route, RouteDefinition } from '../../../routing/route.ts';
import { foreseenOperation } from './foreseen-operation.ts';
import { GRAPHQL_PATH } from './graphql.options.ts';

/** Id of the route whose stages every GraphQL request enters. */
export const GRAPHQL_ROUTE_ID = 'graphql';

/** The route of the GraphQL door in the configuration under which an exchange began. */
export type RouteOf = (exchange: Exchange) => Route;

/**
 * Makes the route of the GraphQL door. It never stores answers: what a POST answers depends on its body.
 *
 * @param policies policies of the door by name, such as the `graphql.policies` of the configuration.
 * @param defaults the default policies. Where neither says anything about authentication, the door wants a JWT
 * or an API key: it fails closed.
 */
export function graphqlRoute(
  policies: DeclaredPolicies = {},
  defaults: DeclaredPolicies = {},
): RouteDefinition {
  const identified: DeclaredPolicies =
    defaults.authentication === undefined ? { authentication: { schemes: ['jwt', 'apiKey'] } } : {};
  return {
    id: GRAPHQL_ROUTE_ID,
    door: 'handler',
    fitsAs: 'graphqlPost',
    below: ['graphql'],
    origin: 'GatehouseDriver',
    match: { methods: ['GET', 'POST', 'PUT', 'DELETE'], hosts: [], path: GRAPHQL_PATH, headers: {} },
    policies: [{ ...identified, cache: 'off', ...policies }],
    foresee: foreseenOperation,
  };
}
