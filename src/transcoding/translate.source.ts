import type { z } from 'zod';
import type { FileRegistry } from '@bufbuild/protobuf';
import { nearestName } from '../config/nearest-name.ts';
import { subsetOf } from '../exchange/subset.ts';
import type { RouteConfig } from '../routing/gateway.schema.ts';
import type {
  ActionDefinition,
  ActionSource,
  ReadRoutes,
  RouteReading,
  SourceFault,
} from '../routing/route-action.ts';
import type { RouteDefinition } from '../routing/route.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import { schemaOf, UpstreamSchemaError } from '../upstreams/grpc/descriptors/upstream-schema.ts';
import { BindingError, compileBindings, offersSocket, type Binding } from './binding.ts';
import { transcodingSchema } from './transcoding.schema.ts';

/** A route that is translated to a method of gRPC, as data. */
export interface TranslateDefinition extends ActionDefinition {
  readonly kind: 'translate';
  /** `unknown` while the upstream has not told which methods it has. */
  readonly binding: Binding | 'unknown';
}

/** A route of the configuration file that is offered from a schema. */
export interface TranslatedRoute extends RouteConfig {
  readonly upstream: string;
  readonly grpc: z.output<typeof transcodingSchema>;
}

/** Whether a route is offered from a schema. */
export function isTranslated(route: RouteConfig): route is TranslatedRoute {
  return route['grpc'] !== undefined && route.upstream !== undefined;
}

/**
 * Routes with `grpc`: a definition for every annotated method of the service that it names. Where the schema comes from
 * server reflection there is one for the prefix, which answers 503 until the upstream has told its methods.
 */
export const translateSource: ActionSource = {
  kind: 'translate',
  door: 'translated',
  key: 'grpc',
  keys: { grpc: transcodingSchema },
  hasUpstream: true,
  matchless: 'what a translated route matches is in its schema',
  alone: 'a call has no path',
  read: readTranslated,
};

function readTranslated({ config, route, index, origin }: RouteReading): ReadRoutes {
  if (!isTranslated(route)) return { definitions: [], faults: [] };
  try {
    const schema = schemaOf(route.upstream, config.upstreams);
    const definitions =
      schema === 'reflection' ? [pending(route, origin)] : definitionsFrom(route, origin, schema);
    return { definitions, faults: [] };
  } catch (error) {
    return { definitions: [], faults: faultsOf(error, route.upstream, index) };
  }
}

function faultsOf(error: unknown, upstream: string, index: number): SourceFault[] {
  if (error instanceof SourceError) {
    const path = ['routes', index, ...error.key];
    return error.faults.map((message) => ({ path, message, suggestion: error.suggestion }));
  }
  if (!(error instanceof UpstreamSchemaError)) throw error;
  const path =
    error.key === undefined ? ['routes', index, 'upstream'] : ['upstreams', upstream, ...error.key];
  return error.faults.map((message) => ({ path, message }));
}

/**
 * Makes the definitions of one route of a registry.
 *
 * @throws {SourceError} when there is no such service, or an annotation cannot be used.
 */
export function definitionsFrom(
  route: TranslatedRoute,
  origin: string,
  registry: FileRegistry,
): RouteDefinition[] {
  const { service: name, prefix, ...options } = route.grpc;
  const service = registry.getService(name);
  if (service === undefined) {
    const known = [...registry].flatMap((one) => (one.kind === 'service' ? [one.typeName] : []));
    const hint = nearestName(name, known);
    throw new SourceError(['grpc', 'service'], `there is no service "${name}" in the schema`, hint);
  }
  const bindings = attempt(['grpc', 'service'], () => compileBindings(service, registry, options));
  const outside = bindings.filter(({ rule }) => !isBelow(prefix, rule.template.pattern));
  // When all of them are, it is the prefix that is wrong, and once.
  const told = outside.length === bindings.length ? outside.slice(0, 1) : outside;
  if (told.length > 0)
    throw new SourceError(
      ['grpc', 'prefix'],
      told.map((one) => misplaced(one, prefix)),
    );
  const plain = bindings.map((binding) => {
    const path = binding.rule.template.pattern;
    return definitionOf(route, origin, binding, { path, methods: binding.rule.methods, headers: {} });
  });
  return [...plain, ...socketDefinitions(route, origin, bindings)];
}

function isBelow(prefix: string | undefined, path: string): boolean {
  return prefix === undefined || path.startsWith(`${prefix}/`) || path.startsWith(`${prefix}:`);
}

function misplaced({ method, rule }: Binding, prefix: string | undefined): string {
  return `${method.name} wants ${rule.template.pattern}, which is not below ${prefix}`;
}

/** What a request for a WebSocket says, as the upgrades spell it. */
const UPGRADE = { upgrade: 'websocket' };

// The handshake of a WebSocket is a GET. Streams whose binding takes none get a route for it, on the same path.
function socketDefinitions(
  route: TranslatedRoute,
  origin: string,
  bindings: readonly Binding[],
): RouteDefinition[] {
  const takesGet = ({ rule: { methods } }: Binding): boolean =>
    methods.length === 0 || methods.includes('GET');
  const offered = bindings.filter(offersSocket);
  const taken = new Set(offered.filter(takesGet).map(({ rule }) => rule.template.pattern));
  return offered.flatMap((binding) => {
    const path = binding.rule.template.pattern;
    if (taken.has(path)) return [];
    taken.add(path);
    return [definitionOf(route, origin, binding, { path, methods: ['GET'], headers: UPGRADE })];
  });
}

/** Thrown for a route whose `grpc` cannot be used. */
export class SourceError extends PlainFault {
  readonly key: readonly string[];
  /** Everything that is wrong there; the message of the error is all of it. */
  readonly faults: readonly string[];
  readonly suggestion: string | undefined;

  constructor(key: readonly string[], faults: string | readonly string[], suggestion?: string) {
    const all = [faults].flat();
    super(all.join('\n'));
    this.key = key;
    this.faults = all;
    this.suggestion = suggestion;
  }
}

function pending(route: TranslatedRoute, origin: string): RouteDefinition {
  const { prefix } = route.grpc;
  // Fails closed: what an upstream says of itself must not take paths that are somebody else's.
  if (prefix === undefined) {
    throw new SourceError(['grpc'], 'expected `prefix`: the paths come from the upstream, by reflection');
  }
  return definitionOf(route, origin, 'unknown', { path: `${prefix}/*`, methods: [], headers: {} });
}

function definitionOf(
  route: TranslatedRoute,
  origin: string,
  binding: Binding | 'unknown',
  match: Omit<RouteDefinition['match'], 'hosts'>,
): RouteDefinition {
  const action: TranslateDefinition = { kind: 'translate', binding };
  return {
    id: binding === 'unknown' ? route.id : `${route.id}.${binding.method.name}`,
    door: 'proxy',
    origin,
    match: { ...match, hosts: [] },
    priority: route.priority,
    paths: route.paths,
    upstream: route.upstream,
    retry: route.retry,
    subset: subsetOf(route),
    hedge: route.hedge,
    matchKey: 'grpc',
    action,
    policies: [route.policies ?? {}],
  };
}

function attempt<Result>(key: readonly string[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    throw new SourceError(key, error instanceof BindingError ? error.faults : [(error as Error).message]);
  }
}
