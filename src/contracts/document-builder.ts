import type { Type } from '@nestjs/common';
import { GRAPHQL_ROUTE_ID } from '../bff/graphql/door/graphql.route.ts';
import type { ContractsConfig } from '../routing/gateway.schema.ts';
import type { Tiers } from '../policies/rate-limit/tiers.schema.ts';
import type { Route } from '../routing/route.ts';
import { isSocketOnly } from '../routing/socket-only.ts';
import type { CallProtocol } from './call-problems.ts';
import { ComponentStore } from './components.ts';
import { deprecationOf } from './deprecation.ts';
import { handlerContract, handlersByOrigin, type Handler } from './handler-contract.ts';
import type { OpenApiDocument, Operation, OperationMethod, PathItem, RouteVariant } from './openapi.ts';
import { OPERATION_METHODS } from './openapi.ts';
import { graphqlContract } from './graphql-contract.ts';
import type { OperationContract } from './operation-contract.ts';
import { operationPath, type OperationPath } from './operation-path.ts';
import { operationOf } from './operation.ts';
import { headerFields } from './problem-answers.ts';
import { securitySchemes, type CredentialPlaces } from './security.ts';

/** What a document is made of. */
export interface DocumentDeps {
  readonly routes: readonly Route[];
  readonly controllers: readonly Type[];
  readonly config: ContractsConfig;
  /** Whether the gateway counts requests before it looks at them. */
  readonly floodLimited: boolean;
  /** The tiers of service of the file. Default none. */
  readonly tiers?: Tiers | undefined;
  /** Where credentials are looked for. Default the usual places. */
  readonly places?: CredentialPlaces | undefined;
  /** What is spoken to the upstreams. Default: anything. */
  readonly protocols?: ReadonlySet<CallProtocol> | undefined;
  /** Routes that are not part of the API, besides those that the configuration hides. */
  readonly isHidden?: (route: Route) => boolean;
}

interface Entry {
  readonly route: Route;
  readonly path: OperationPath;
  readonly method: OperationMethod;
  /** Routes that lost the place to this one, because OpenAPI has one operation for a method of a path. */
  readonly variants: RouteVariant[];
  /** Whether one of all of them stays, though others go. */
  stays: boolean;
}

/** What is known of an operation of which nothing is told. */
const UNTOLD: OperationContract = {
  parameters: [],
  answers: { default: { description: 'What the route answers.', content: { '*/*': {} } } },
  problems: [],
};

const WITHOUT_METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const satisfies OperationMethod[];

/** Makes the OpenAPI document of both doors. */
export function buildDocument(deps: DocumentDeps): OpenApiDocument {
  const { config, controllers } = deps;
  const hidden = new Set(config.hide);
  // OpenAPI has no words for what is said over a WebSocket.
  const routes = deps.routes.filter(
    (route) => !hidden.has(route.id) && deps.isHidden?.(route) !== true && !isSocketOnly(route),
  );
  const entries = placed(routes);
  const ids = operationIds(entries);
  const components = new ComponentStore();
  const handlers = handlersByOrigin(controllers);
  const paths: Record<string, Record<string, Operation>> = {};
  for (const entry of entries) {
    const contract = contractOf(entry, handlers.get(entry.route.origin), components, deps.protocols);
    const { floodLimited, tiers, places } = deps;
    const id = ids.get(entry) ?? entry.route.id;
    const about = { ...entry, id, tag: tagOf(entry.route), floodLimited, tiers, places };
    (paths[entry.path.template] ??= {})[entry.method] = operationOf(about, contract, components);
  }
  const tags = [...new Set(routes.map(tagOf))].sort().map((name) => ({ name }));
  const { title, version } = config;
  const description =
    'What the gateway offers. Errors of its own are problems (RFC 9457) with a stable `code`.';
  return {
    openapi: '3.1.1',
    info: { title, version, description },
    servers: config.servers.length === 0 ? [{ url: '/' }] : config.servers.map((url) => ({ url })),
    tags,
    paths: paths as Record<string, PathItem>,
    components: components.toComponents(headerFields, securitySchemes(deps.places)),
  };
}

/** The feature that a route belongs to: that of its controller, or the upstream that it leads to. */
export function tagOf(route: Route): string {
  return route.door === 'handler' ? (route.id.split('.')[0] ?? route.id) : (route.upstream ?? route.id);
}

// Sorted, so that the document does not depend on the order in which modules were loaded; among the routes of one
// place the one with the fewest conditions comes first, because it is what most requests meet.
function placed(routes: readonly Route[]): readonly Entry[] {
  const places = new Map<string, Entry>();
  const templates = new Map<string, OperationPath>();
  const order = routes.toSorted(
    (a, b) =>
      compare(a.pattern.source, b.pattern.source) ||
      conditions(a) - conditions(b) ||
      refusing(a) - refusing(b) ||
      compare(a.id, b.id),
  );
  for (const route of order) {
    const own = operationPath(route.pattern);
    const path = templates.get(own.shape) ?? own;
    templates.set(own.shape, path);
    for (const method of methodsOf(route)) {
      const place = `${method} ${own.shape}`;
      const taken = places.get(place);
      if (taken === undefined) places.set(place, { route, path, method, variants: [], stays: stays(route) });
      else {
        taken.variants.push(variantOf(route));
        taken.stays ||= stays(route);
      }
    }
  }
  return [...places.values()];
}

function methodsOf({ match: { methods } }: Route): readonly OperationMethod[] {
  if (methods.length === 0) return WITHOUT_METHODS;
  return OPERATION_METHODS.filter((method) => methods.includes(method.toUpperCase()));
}

/** Whether it only refuses requests for versions that there are not. */
function refusing({ action }: Route): number {
  return Number(action.kind === 'versions');
}

function stays(route: Route): boolean {
  return route.policies.deprecation === undefined && refusing(route) === 0;
}

function variantOf(route: Route): RouteVariant {
  const { hosts, headers, query, cookies } = route.match;
  const { id, pattern } = route;
  const leaving = deprecationOf(route);
  return {
    route: id,
    path: pattern.source,
    ...(hosts.length === 0 ? {} : { hosts }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(query === undefined ? {} : { query }),
    ...(cookies === undefined ? {} : { cookies }),
    ...(leaving === undefined ? {} : { deprecated: true, 'x-gatehouse-deprecation': leaving }),
  };
}

/** The id of the route; with the method where a route has several, and with a number where that is not enough. */
function operationIds(entries: readonly Entry[]): ReadonlyMap<Entry, string> {
  const methodsPerRoute = new Map<string, Set<string>>();
  for (const { route, method } of entries) {
    methodsPerRoute.set(route.id, (methodsPerRoute.get(route.id) ?? new Set()).add(method));
  }
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  const ids = new Map<Entry, string>();
  for (const entry of entries) {
    const isAlone = methodsPerRoute.get(entry.route.id)?.size === 1;
    const wanted = isAlone ? entry.route.id : `${entry.route.id}.${entry.method}`;
    let id = wanted;
    // On from the last one of that name: a translated service can have thousands.
    let count = counts.get(wanted) ?? 1;
    while (taken.has(id)) id = `${wanted}.${(count += 1)}`;
    counts.set(wanted, count);
    taken.add(id);
    ids.set(entry, id);
  }
  return ids;
}

function contractOf(
  { route, path, method }: Entry,
  handler: Handler | undefined,
  components: ComponentStore,
  protocols: ReadonlySet<CallProtocol> | undefined,
): OperationContract {
  const verb = method.toUpperCase();
  if (route.id === GRAPHQL_ROUTE_ID && route.door === 'handler') return graphqlContract(verb);
  if (handler !== undefined) return handlerContract(handler, verb, components, protocols);
  return route.action.contract?.({ method: verb, names: path.names, components }) ?? UNTOLD;
}

function conditions({ match: { hosts }, conditions: { length } }: Route): number {
  return Number(hosts.length > 0) + length;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
