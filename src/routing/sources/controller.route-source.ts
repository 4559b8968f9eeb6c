import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, SSE_METADATA } from '@nestjs/common/constants.js';
import { isFaulty, methodsNamed } from '../../policies/placements.ts';
import { policyList } from '../../policies/order.ts';
import { conditionsOf } from '../read-routes.ts';
import type { DeclaredPolicies, RouteDefinition } from '../route.ts';
import { matchDeclaredOn } from './match.decorator.ts';

/** Reads the routes of the code-first door from the metadata that Nest's and our decorators leave. */
export function controllerRoutes(controllers: readonly Type[]): RouteDefinition[] {
  return controllers.flatMap((controller) =>
    handlersOf(controller).flatMap(([name, handler]) => routesOf(controller, name, handler)),
  );
}

/** The id of a handler's route: `OrdersController.list` is `orders.list`. */
export function handlerRouteId(controller: Type, handlerName: string): string {
  const feature = controller.name.replace(/Controller$/, '');
  return `${feature.charAt(0).toLowerCase()}${feature.slice(1)}.${handlerName}`;
}

/** The handlers of a controller by name, those that it inherits included. */
export function handlersOf(controller: Type): [string, object][] {
  const found = new Map<string, object>();
  for (
    let at = controller.prototype as object;
    at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      const isHandler =
        name !== 'constructor' && typeof value === 'function' && Reflect.hasMetadata(PATH_METADATA, value);
      if (isHandler && !found.has(name)) found.set(name, value as object);
    }
  }
  return [...found];
}

function routesOf(controller: Type, name: string, handler: object): RouteDefinition[] {
  // What was said of it is known in part only, and that has been told.
  if (isFaulty(controller) || methodsNamed(controller, name).some(isFaulty)) return [];
  const prefixes = pathsOf(Reflect.getMetadata(PATH_METADATA, controller));
  const paths = pathsOf(Reflect.getMetadata(PATH_METADATA, handler));
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
  const methods = methodsNamed(controller, name);
  const said = [...methods, controller].map(matchDeclaredOn).find((one) => one !== undefined);
  const { encodedSlashes = 'refuse' } = said ?? {};
  return prefixes.flatMap((prefix) =>
    paths.map((path) => ({
      id: handlerRouteId(controller, name),
      door: 'handler' as const,
      origin: `${controller.name}.${name}`,
      owner: controller,
      code: handler,
      sendsEvents: Reflect.getMetadata(SSE_METADATA, handler) === true,
      match: { methods: methodsOf(method), ...conditionsOf(said), path: joined(prefix, path) },
      paths: { encodedSlashes, trailingSlash: 'refuse' as const },
      // What a method overrides still holds where it says nothing itself.
      policies: [...methods.map(declaredOn), declaredOn(controller)],
    })),
  );
}

function pathsOf(metadata: unknown): readonly string[] {
  if (Array.isArray(metadata)) return metadata as string[];
  return [typeof metadata === 'string' ? metadata : ''];
}

function methodsOf(method: RequestMethod): readonly string[] {
  return method === RequestMethod.ALL ? [] : [RequestMethod[method] ?? 'GET'];
}

// Nest writes `:id` and Fastify takes a trailing `*`; patterns here write `{id}` and `/*`.
function joined(prefix: string, path: string): string {
  const segments = `${prefix}/${path}`.split('/').filter((segment) => segment !== '');
  return `/${segments.map((segment) => segment.replace(/^:(\w+)$/, '{$1}')).join('/')}`;
}

function declaredOn(target: object): DeclaredPolicies {
  const declared: Record<string, unknown> = {};
  for (const policy of policyList) {
    const options: unknown = Reflect.getMetadata(policy.metadataKey, target);
    if (options !== undefined) declared[policy.name] = options;
  }
  return declared as DeclaredPolicies;
}
