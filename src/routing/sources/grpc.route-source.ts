import type { FileRegistry } from '@bufbuild/protobuf';
import { nearestName } from '../../config/nearest-name.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import {
  BindingError,
  compileBindings,
  offersSocket,
  type Binding,
} from '../../upstreams/grpc/transcoding/binding.ts';
import {
  compileProto,
  readDescriptorSet,
  SchemaError,
} from '../../upstreams/grpc/transcoding/descriptor-files.ts';
import type { GatewayConfig, RouteConfig } from '../gateway.schema.ts';
import type { RouteDefinition } from '../route.ts';

/** Something wrong with where a translated route comes from. */
export interface GrpcRouteFault {
  /** From the root of the configuration. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** A route of the configuration file that is offered from a schema. */
export interface GrpcRouteConfig extends RouteConfig {
  readonly upstream: string;
  readonly grpc: NonNullable<RouteConfig['grpc']>;
}

/** Whether a route is offered from a schema. */
export function isGrpcRoute(route: RouteConfig): route is GrpcRouteConfig {
  return route.grpc !== undefined && route.upstream !== undefined;
}

/** What came of the routes with `grpc`. */
export interface GrpcRoutes {
  readonly definitions: readonly RouteDefinition[];
  readonly faults: readonly GrpcRouteFault[];
}

/**
 * Makes a definition of every annotated method of the services that `grpc:` names. Where the schema comes from
 * server reflection there is one for the prefix, which answers 503 until the upstream has told its methods.
 */
export function grpcRoutes(
  config: GatewayConfig,
  originOf: (index: number) => string,
  schemas = new Schemas(config),
): GrpcRoutes {
  const faults: GrpcRouteFault[] = [];
  const told = new Set<string>();
  const definitions = config.routes.flatMap((route, index) => {
    if (!isGrpcRoute(route)) return [];
    try {
      return definitionsOf(route, originOf(index), schemas);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const path = [
        ...(error.isOfUpstream ? ['upstreams', route.upstream] : ['routes', index]),
        ...error.key,
      ];
      const { suggestion } = error;
      // Several routes can be offered from one schema, which is at fault once.
      const isNew = (message: string): boolean => {
        const fault = JSON.stringify([message, path]);
        return !told.has(fault) && told.add(fault).has(fault);
      };
      faults.push(...error.faults.filter(isNew).map((message) => ({ path, message, suggestion })));
      return [];
    }
  });
  return { definitions, faults };
}

/**
 * Makes the definitions of one route of a registry.
 *
 * @throws {SourceError} when there is no such service, or an annotation cannot be used.
 */
export function definitionsFrom(
  route: GrpcRouteConfig,
  origin: string,
  registry: FileRegistry,
): RouteDefinition[] {
  const { service: name, prefix, ...options } = route.grpc;
  const service = registry.getService(name);
  if (service === undefined) {
    const known = [...registry].flatMap((one) => (one.kind === 'service' ? [one.typeName] : []));
    const hint = nearestName(name, known);
    throw new SourceError(['grpc', 'service'], `there is no service "${name}" in the schema`, { hint });
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
  route: GrpcRouteConfig,
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

/** Thrown for a route whose schema cannot be used. */
export class SourceError extends PlainFault {
  readonly key: readonly string[];
  /** Everything that is wrong there; the message of the error is all of it. */
  readonly faults: readonly string[];
  readonly suggestion: string | undefined;
  /** Whether the key is one of the upstream, not of the route. */
  readonly isOfUpstream: boolean;

  constructor(
    key: readonly string[],
    faults: string | readonly string[],
    about: { readonly hint?: string | undefined; readonly isOfUpstream?: boolean } = {},
  ) {
    const all = [faults].flat();
    super(all.join('\n'));
    this.key = key;
    this.faults = all;
    this.suggestion = about.hint;
    this.isOfUpstream = about.isOfUpstream ?? false;
  }
}

/** The schemas of gRPC upstreams. Several routes may be offered from one: it is read once. */
export class Schemas {
  readonly #config: GatewayConfig;
  readonly #read = new Map<string, FileRegistry>();

  constructor(config: GatewayConfig) {
    this.#config = config;
  }

  /** @throws {SourceError} when the upstream has no schema, or it cannot be read. */
  of(upstream: string): FileRegistry | 'reflection' {
    const options = this.#config.upstreams[upstream];
    if (options === undefined) throw new SourceError(['upstream'], `there is no upstream "${upstream}"`);
    if (options.protocol !== 'grpc') {
      throw new SourceError(['upstream'], `expected an upstream with \`protocol: grpc\``);
    }
    if (options.reflection !== undefined) return 'reflection';
    const { descriptorSet, proto } = options;
    if (descriptorSet === undefined && proto === undefined) {
      const message = `expected \`descriptorSet\`, \`proto\` or \`reflection\`: the route of ${upstream} has \`grpc\``;
      throw new SourceError([], message, { isOfUpstream: true });
    }
    let registry = this.#read.get(upstream);
    if (registry === undefined) this.#read.set(upstream, (registry = readSchema(descriptorSet, proto)));
    return registry;
  }
}

function readSchema(descriptorSet: string | undefined, proto: string | undefined): FileRegistry {
  try {
    return descriptorSet === undefined ? compileProto(proto ?? '') : readDescriptorSet(descriptorSet);
  } catch (error) {
    const key = descriptorSet === undefined ? 'proto' : 'descriptorSet';
    throw new SourceError([key], faultsIn(error), { isOfUpstream: true });
  }
}

function definitionsOf(route: GrpcRouteConfig, origin: string, schemas: Schemas): RouteDefinition[] {
  const registry = schemas.of(route.upstream);
  if (registry !== 'reflection') return definitionsFrom(route, origin, registry);
  const { prefix } = route.grpc;
  // Fails closed: what an upstream says of itself must not take paths that are somebody else's.
  if (prefix === undefined) {
    throw new SourceError(['grpc'], 'expected `prefix`: the paths come from the upstream, by reflection');
  }
  return [definitionOf(route, origin, 'unknown', { path: `${prefix}/*`, methods: [], headers: {} })];
}

function definitionOf(
  route: GrpcRouteConfig,
  origin: string,
  grpc: Binding | 'unknown',
  match: Omit<RouteDefinition['match'], 'hosts'>,
): RouteDefinition {
  return {
    id: grpc === 'unknown' ? route.id : `${route.id}.${grpc.method.name}`,
    door: 'proxy',
    origin,
    match: { ...match, hosts: [] },
    upstream: route.upstream,
    grpc,
    policies: [route.policies ?? {}],
  };
}

function attempt<Result>(key: readonly string[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    throw new SourceError(key, faultsIn(error));
  }
}

function faultsIn(error: unknown): readonly string[] {
  return error instanceof BindingError || error instanceof SchemaError
    ? error.faults
    : [(error as Error).message];
}
