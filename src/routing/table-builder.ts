import type { Type } from '@nestjs/common';
import type { ReadConfig } from '../config/config-reader.ts';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { StageFactory } from '../policies/stage.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { BootFaults } from './boot-faults.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import { RouteCompiler, RouteFault } from './route-compiler.ts';
import { tableFaults } from './route-faults.ts';
import { RouteTable } from './route-table.ts';
import type { Route, RouteDefinition } from './route.ts';
import { compileAggregates } from './sources/aggregate.route-source.ts';
import { grpcRoutes, Schemas, type GrpcRouteFault } from './sources/grpc.route-source.ts';
import { controllerFaults } from './sources/controller-faults.ts';
import { controllerRoutes } from './sources/controller.route-source.ts';
import { yamlRoutes } from './sources/yaml.route-source.ts';

/** The configuration file, read and checked. */
export type GatewaySource = ReadConfig<GatewayConfig>;

/** What a table is built from. */
export interface TableParts {
  readonly source: GatewaySource;
  readonly controllers: readonly Type[];
  /** Routes that neither YAML nor a controller declares, such as the GraphQL door. */
  readonly definitions: readonly RouteDefinition[];
  readonly factories: readonly StageFactory[];
  readonly upstreams: UpstreamRegistry;
  readonly metrics: Metrics;
}

/**
 * Builds the route table of both doors.
 *
 * @param found takes the faults of all routes, and the table is one of those that have none; without it they are thrown.
 * @throws {ConfigError} with the faults of all routes at once.
 */
export function buildRouteTable(parts: TableParts, found?: BootFaults): RouteTable {
  const { source } = parts;
  const placed = placesOf(source);
  const originOf = (index: number): string => placed.originOf(index);
  const schemas = new Schemas(source.value);
  const translated = grpcRoutes(source.value, originOf, schemas);
  const composed = compileAggregates(source.value, schemas);
  const sourceFaults = [...translated.faults, ...composed.faults];
  const definitions = [
    ...yamlRoutes(source.value, originOf, composed.compiled),
    ...translated.definitions,
    ...controllerRoutes(parts.controllers),
    ...parts.definitions,
  ];
  const { routes, faults } = compileAll(definitions, parts);
  const definitionOf = (route: Route): RouteDefinition =>
    definitions.find((one) => one.id === route.id && one.origin === route.origin) as RouteDefinition;
  const all = [...faults, ...tableFaults(routes, definitionOf)];
  const told = [
    ...sourceFaults.map((fault) => placed.placeSource(fault)),
    ...all.map((fault) => placed.place(fault, parts.upstreams)),
    ...controllerFaults(parts.controllers),
  ];
  if (told.length > 0 && found === undefined) throw new ConfigError(told);
  found?.add(told);
  return new RouteTable(routes);
}

/** Compiles definitions; the faults of all of them are returned, not thrown. */
export function compileAll(
  definitions: readonly RouteDefinition[],
  parts: Omit<TableParts, 'controllers' | 'definitions'>,
): { routes: readonly Route[]; faults: readonly RouteFault[] } {
  const { upstreams, defaults } = parts.source.value;
  const upstreamPolicies = Object.fromEntries(
    Object.entries(upstreams).map(([name, one]) => [name, one.policies ?? {}]),
  );
  const compiler = new RouteCompiler({ ...parts, defaults: defaults.policies ?? {}, upstreamPolicies });
  const faults: RouteFault[] = [];
  const routes = definitions.flatMap((definition) => {
    try {
      return [compiler.compile(definition)];
    } catch (error) {
      if (!(error instanceof RouteFault)) throw error;
      faults.push(error);
      return [];
    }
  });
  return { routes, faults };
}

/** Where the route at an index of the configuration stands: `gateway.yaml:12:5`. */
export function originIn({ document }: GatewaySource, index: number): string {
  const { line, column } = document.locate(['routes', index]);
  return `${document.file}:${line}:${column}`;
}

function placesOf(source: GatewaySource) {
  const { value, document } = source;
  const { file } = document;
  return {
    originOf: (index: number): string => originIn(source, index),
    placeSource({ path, message, suggestion }: GrpcRouteFault): ConfigFault {
      const [section, name] = path;
      const routeId = section === 'routes' ? value.routes[name as number]?.id : undefined;
      const key = [`${section}[${routeId ?? name}]`, ...path.slice(2)].join('.');
      return { file, ...document.locate(path), routeId, key, message, suggestion };
    },
    place(fault: RouteFault, upstreams: UpstreamRegistry): ConfigFault {
      const { definition, message } = fault;
      // What a translated route matches is not in the file but in its schema.
      const key = definition.grpc !== undefined && fault.key[0] === 'match' ? ['grpc'] : fault.key;
      const suggestion =
        key[0] === 'upstream'
          ? nearestName(
              definition.upstream ?? '',
              upstreams.all().map((one) => one.name),
            )
          : undefined;
      // By origin, because an id that stands twice is one of the faults.
      const index = value.routes.findIndex((_, at) => this.originOf(at) === definition.origin);
      if (index < 0) return { file: definition.origin, key: key.join('.'), message, suggestion };
      const at = document.locate(['routes', index, ...key]);
      return {
        file,
        line: at.line,
        column: at.column,
        routeId: definition.id,
        key: `routes[${definition.id}].${key.join('.')}`,
        message,
        suggestion,
      };
    },
  };
}
