import type { FileRegistry } from '@bufbuild/protobuf';
import { NearestNames } from '../../config/nearest-name.ts';
import type { PolicyName } from '../../policies/order.ts';
import { TemplateError } from '../../templates/template-fault.ts';
import { aggregateSchema, type AggregateOptions } from './aggregate.schema.ts';
import type { Aggregate } from './aggregate.ts';
import { compileAggregate } from './compile-aggregate.ts';
import type { GatewayConfig, RouteConfig } from '../../routing/gateway.schema.ts';
import { parsePathPattern } from '../../routing/path-pattern.ts';
import { definitionOf } from '../../routing/read-routes.ts';
import type {
  ActionDefinition,
  ActionSource,
  ReadRoutes,
  RouteReading,
  SourceFault,
} from '../../routing/route-action.ts';
import { schemaOf, UpstreamSchemaError } from '../../upstreams/grpc/descriptors/upstream-schema.ts';

/** Policies of an upstream that decide who may call it. */
const GUARDING = [
  'authentication',
  'authorization',
  'ipAccess',
  'externalAuthorization',
] as const satisfies readonly PolicyName[];

/** What such a policy is when it keeps nobody out. */
const OPEN: ReadonlySet<unknown> = new Set([undefined, 'off', 'public']);

/** A route that is composed of several calls, as data. */
export interface AggregateDefinition extends ActionDefinition {
  readonly kind: 'aggregate';
  readonly aggregate: Aggregate;
}

/** Routes with `aggregate`. They read, so that they answer `GET`. */
export const aggregateSource: ActionSource = {
  kind: 'aggregate',
  door: 'aggregated',
  key: 'aggregate',
  keys: { aggregate: aggregateSchema },
  hasUpstream: false,
  alone: 'its calls say where they go',
  check({ match }) {
    const methods: unknown = match?.methods;
    if (!Array.isArray(methods) || methods.every((one) => one === 'GET' || one === 'HEAD')) return undefined;
    return {
      path: ['match', 'methods'],
      message: 'expected only GET: the answer is composed of what is read',
    };
  },
  read: readAggregate,
};

interface KnownUpstreams {
  readonly protocols: ReadonlyMap<string, 'http' | 'grpc'>;
  readonly names: NearestNames;
}

const known = new WeakMap<GatewayConfig, KnownUpstreams>();

// Once for all routes of a file.
function upstreamsOf(config: GatewayConfig): KnownUpstreams {
  const before = known.get(config);
  if (before !== undefined) return before;
  const protocols = new Map(Object.entries(config.upstreams).map(([name, { protocol }]) => [name, protocol]));
  const upstreams = { protocols, names: new NearestNames(protocols.keys()) };
  known.set(config, upstreams);
  return upstreams;
}

function readAggregate(reading: RouteReading): ReadRoutes {
  const { config, route, index } = reading;
  const options = route['aggregate'] as AggregateOptions;
  const parameters = parametersOf(route);
  const action = (aggregate: Aggregate): AggregateDefinition => ({ kind: 'aggregate', aggregate });
  // A path that cannot be parsed is told by the compiler of routes.
  if (parameters === undefined)
    return { definitions: [definitionOf(reading, action(NOTHING), ['GET'])], faults: [] };
  const parts = { parameters, ...upstreamsOf(config), schemaOf: (name: string) => readSchema(name, config) };
  const { aggregate, faults } = compileAggregate(options, parts);
  const below = (key: string[], { path, ...fault }: SourceFault): SourceFault => ({
    ...fault,
    path: ['routes', index, ...key, ...path],
  });
  return {
    definitions: [definitionOf(reading, action(aggregate), ['GET'])],
    faults: [
      ...faults.map((fault) => below(['aggregate'], fault)),
      ...unguarded(route, options, config).map((fault) => below([], fault)),
    ],
  };
}

/** Stands in for what could not be compiled, of which nothing is ever run. */
const NOTHING: Aggregate = {
  calls: [],
  vary: undefined,
  isPersonal: true,
  maxElements: 1,
  maxAnswer: 1,
  respond: () => ({}),
};

// Fails closed: what an upstream asks of everybody who is led to it must not be lost because the way is another one.
function unguarded(
  { policies }: RouteConfig,
  { calls }: AggregateOptions,
  { upstreams }: GatewayConfig,
): SourceFault[] {
  return Object.entries(calls).flatMap(([name, { upstream }]) => {
    const asked = upstreams[upstream]?.policies;
    const policy = GUARDING.find((one) => !OPEN.has(asked?.[one]) && policies?.[one] === undefined);
    if (policy === undefined) return [];
    const message = `the upstream "${upstream}" asks for \`${policy}\`; the route has to declare its own`;
    return [{ path: ['aggregate', 'calls', name, 'upstream'], message }];
  });
}

function parametersOf({ match }: RouteConfig): readonly string[] | undefined {
  try {
    return parsePathPattern(match?.path ?? '').parameters;
  } catch {
    return undefined;
  }
}

function readSchema(upstream: string, { upstreams }: GatewayConfig): FileRegistry {
  let schema: FileRegistry | 'reflection';
  try {
    schema = schemaOf(upstream, upstreams);
  } catch (error) {
    throw error instanceof UpstreamSchemaError ? new TemplateError(error.message) : error;
  }
  if (schema !== 'reflection') return schema;
  throw new TemplateError(
    `expected \`descriptorSet\` or \`proto\` at the upstream "${upstream}": reflection comes too late to check this`,
  );
}
