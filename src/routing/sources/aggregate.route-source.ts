import type { FileRegistry } from '@bufbuild/protobuf';
import { NearestNames } from '../../config/nearest-name.ts';
import type { PolicyName } from '../../policies/order.ts';
import { AggregateError } from '../aggregate/aggregate-fault.ts';
import type { Aggregate } from '../aggregate/aggregate.ts';
import { compileAggregate, type AggregateParts } from '../aggregate/compile-aggregate.ts';
import type { GatewayConfig, RouteConfig } from '../gateway.schema.ts';
import { parsePathPattern } from '../path-pattern.ts';
import { SourceError, type GrpcRouteFault, type Schemas } from './grpc.route-source.ts';

/** Policies of an upstream that decide who may call it. */
const GUARDING = ['authentication', 'authorization'] as const satisfies readonly PolicyName[];

/** What such a policy is when it keeps nobody out. */
const OPEN: ReadonlySet<unknown> = new Set([undefined, 'off', 'public']);

/** What came of the `aggregate:` sections. */
export interface Aggregates {
  /** By the index of the route; absent for one with faults. */
  readonly compiled: ReadonlyMap<number, Aggregate>;
  readonly faults: readonly GrpcRouteFault[];
}

/** Compiles the `aggregate:` section of every route that has one. */
export function compileAggregates(config: GatewayConfig, schemas: Schemas): Aggregates {
  const compiled = new Map<number, Aggregate>();
  const faults: GrpcRouteFault[] = [];
  const upstreams = Object.entries(config.upstreams);
  const protocols = new Map(upstreams.map(([name, { protocol }]) => [name, protocol]));
  const names = new NearestNames(protocols.keys());
  const schemaOf = (upstream: string): FileRegistry => readSchema(schemas, upstream);
  config.routes.forEach((route, index) => {
    const parameters = route.aggregate === undefined ? undefined : parametersOf(route);
    // A path that cannot be parsed is told by the compiler of routes.
    if (route.aggregate === undefined || parameters === undefined) return;
    const parts: AggregateParts = { parameters, protocols, names, schemaOf };
    const { aggregate, faults: own } = compileAggregate(route.aggregate, parts);
    faults.push(...own.map((one) => ({ ...one, path: ['routes', index, 'aggregate', ...one.path] })));
    faults.push(...unguarded(route, config).map((one) => ({ ...one, path: ['routes', index, ...one.path] })));
    compiled.set(index, aggregate);
  });
  return { compiled, faults };
}

// Fails closed: what an upstream asks of everybody who is led to it must not be lost because the way is another one.
function unguarded({ aggregate, policies }: RouteConfig, { upstreams }: GatewayConfig): GrpcRouteFault[] {
  return Object.entries(aggregate?.calls ?? {}).flatMap(([name, { upstream }]) => {
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

function readSchema(schemas: Schemas, upstream: string): FileRegistry {
  let schema: FileRegistry | 'reflection';
  try {
    schema = schemas.of(upstream);
  } catch (error) {
    throw error instanceof SourceError ? new AggregateError(error.message) : error;
  }
  if (schema !== 'reflection') return schema;
  throw new AggregateError(
    `expected \`descriptorSet\` or \`proto\` at the upstream "${upstream}": reflection comes too late to check this`,
  );
}
