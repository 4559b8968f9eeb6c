import type { Type } from '@nestjs/common';
import type { ReadConfig } from '../config/config-reader.ts';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import type { StageFactory } from '../policies/stage-factory.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { BootFaults } from './boot-faults.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import { FaultPlaces } from './fault-places.ts';
import { placedOnce } from './inherited-faults.ts';
import { AccessTable } from './access-table.ts';
import { rolesOf } from './roles.schema.ts';
import { RouteRights } from './teams/route-rights.ts';
import type { Teams } from './teams/teams.ts';
import { readRoutes } from './read-routes.ts';
import { RouteCompiler } from './route-compiler.ts';
import { RouteFault } from './route-fault.ts';
import { tableFaults } from './route-faults.ts';
import { RouteTable } from './route-table.ts';
import type { ActionKind, SourceFault } from './route-action.ts';
import type { Route, RouteDefinition } from './route.ts';
import { UnsureParts, type Unsure } from './unsure.ts';
import { atOnce, isStep, type Steps } from './steps.ts';
import { controllerFaults } from './sources/controller-faults.ts';
import { resourceRoutes } from './sources/resource-metadata.route-source.ts';
import { controllerRoutes } from './sources/controller.route-source.ts';

/** The configuration file, read and checked. */
export interface GatewaySource extends ReadConfig<GatewayConfig> {
  /** What files of teams have brought to it; absent where it includes none. */
  readonly teams?: Teams | undefined;
}

/** What a table is built from. */
export interface TableDeps {
  readonly source: GatewaySource;
  readonly controllers: readonly Type[];
  /** Routes that neither YAML nor a controller declares, such as the GraphQL door. */
  readonly definitions: readonly RouteDefinition[];
  readonly factories: readonly StageFactory[];
  /** The kinds of routes of the file. */
  readonly actions: readonly ActionKind[];
  readonly upstreams: UpstreamRegistry;
  readonly metrics: Metrics;
}

/**
 * Builds the route table of both doors.
 *
 * @param found takes the faults of all routes, and the table is one of those that have none; without it they are thrown.
 * @throws {ConfigError} with the faults of all routes at once.
 */
export function buildRouteTable(deps: TableDeps, found?: BootFaults): RouteTable {
  return atOnce(buildInSteps(deps, found));
}

/** The same in steps. */
export function* buildInSteps(deps: TableDeps, found?: BootFaults): Steps<RouteTable> {
  const { source } = deps;
  const placed = new FaultPlaces(source);
  const sources = deps.actions.map((kind) => kind.source);
  const { teams } = source;
  const unsure = source.cuts && new UnsureParts(source.cuts, (index) => placed.originOf(index));
  const teamOf = teams && ((index: number) => teams.ofRoutes[index]?.team);
  const read = readRoutes(source.value, (index) => placed.originOf(index), sources, teamOf);
  const definitions = [
    ...read.definitions,
    ...controllerRoutes(deps.controllers),
    ...resourceRoutes(source.value.identity, source.document.file),
    ...deps.definitions,
  ];
  yield;
  const ofFile = new Set(unsure && read.definitions);
  const { routes, faults, definitionOf, strays } = yield* compileInSteps(definitions, deps, (definition) =>
    unsure?.of(definition, ofFile.has(definition)),
  );
  yield;
  // What has no right to be there takes nothing from anybody, so that nobody else's file is at fault for it.
  const rightful = strays.size === 0 ? routes : routes.filter((route) => !strays.has(definitionOf(route)));
  const all = [...faults, ...tableFaults(rightful, definitionOf)];
  const ofTeams = teams?.faults ?? includeFaults(source);
  // What a team may not name is told with its reason.
  const places = new Set(ofTeams.map(placeOf));
  const told = [
    ...read.faults
      .filter(({ path }) => unsure?.isUnsureRoute(originAt(path, placed)) !== true)
      .map((fault) => placed.placeSource(fault)),
    ...ofTeams,
    ...placedOnce(all, placed).filter((fault) => places.size === 0 || !places.has(placeOf(fault))),
    ...controllerFaults(deps.controllers),
  ];
  if (told.length > 0 && found === undefined) throw new ConfigError(told);
  found?.add(told);
  yield;
  return new RouteTable(routes);
}

/** What came of definitions. */
export interface Compiled {
  readonly routes: readonly Route[];
  readonly faults: readonly RouteFault[];
  /** Those that a team has no right to. */
  readonly strays: ReadonlySet<RouteDefinition>;
  /** What one of these routes was compiled from. */
  definitionOf(route: Route): RouteDefinition;
}

/** Compiles definitions; the faults of all of them are returned, not thrown. */
export function compileAll(
  definitions: readonly RouteDefinition[],
  deps: Omit<TableDeps, 'controllers' | 'definitions'>,
): Compiled {
  return atOnce(compileInSteps(definitions, deps));
}

function* compileInSteps(
  definitions: readonly RouteDefinition[],
  deps: Omit<TableDeps, 'controllers' | 'definitions'>,
  unsureOf: (definition: RouteDefinition) => Unsure | undefined = () => undefined,
): Steps<Compiled> {
  const { upstreams, defaults, identity, access, tiers } = deps.source.value;
  const upstreamPolicies = Object.fromEntries(
    Object.entries(upstreams).map(([name, one]) => [name, one.policies ?? {}]),
  );
  const table = access.length === 0 ? undefined : new AccessTable(access);
  const compiler = new RouteCompiler({
    ...deps,
    defaults: defaults.policies ?? {},
    upstreamPolicies,
    roles: rolesOf(identity),
    tiers,
    access: table,
  });
  const { teams } = deps.source;
  const rights = teams && new RouteRights(teams, deps.source.value, table);
  const faults: RouteFault[] = [];
  const compiled = new Map<Route, RouteDefinition>();
  const strays = new Set<RouteDefinition>();
  for (const [index, definition] of definitions.entries()) {
    if (isStep(index)) yield;
    const unsure = unsureOf(definition);
    if (unsure !== undefined) {
      faults.push(...compiler.faultsOf(definition, unsure));
      continue;
    }
    const wrong = rights?.faultsOf(definition) ?? [];
    faults.push(...wrong);
    if (wrong.length > 0) strays.add(definition);
    try {
      compiled.set(compiler.compile(rights?.fenced(definition) ?? definition), definition);
    } catch (error) {
      if (!(error instanceof RouteFault)) throw error;
      faults.push(...compiler.faultsOf(definition, undefined, error));
    }
  }
  const definitionOf = (route: Route): RouteDefinition => compiled.get(route) as RouteDefinition;
  return { routes: [...compiled.keys()], faults, definitionOf, strays };
}

function placeOf({ file, line, column }: ConfigFault): string {
  return `${file}:${line}:${column}`;
}

function originAt([section, index]: SourceFault['path'], placed: FaultPlaces): string {
  return section === 'routes' && typeof index === 'number' ? placed.originOf(index) : '';
}

// Fails closed: what somebody believes to be in force is not left out without a word.
function includeFaults({ value, document }: GatewaySource): readonly ConfigFault[] {
  if (value.include === undefined || value.include.length === 0) return [];
  const message = 'has no effect here: only a configuration that is read from its file includes others';
  return [{ file: document.file, ...document.locate(['include']), key: 'include', message }];
}
