import type { ConfigPath } from '../../config/config-path.ts';
import type { ReadConfig } from '../../config/config-reader.ts';
import type { Cuts } from '../../config/remains.ts';
import type { YamlDocument } from '../../config/yaml-reader.ts';
import type { GatewayConfig, RouteConfig } from '../gateway.schema.ts';
import { namedFaults } from './named-rights.ts';
import type { ParsedTeam } from './parsed-team.ts';
import type { TeamFile } from './team-file.schema.ts';
import { ownName, renamed, renamedUpstream } from './team-names.ts';
import type { Teams, TeamSource } from './teams.ts';

type Section = Readonly<Record<string, unknown>>;

/** A configuration of several files. */
export interface Composed
  extends ReadConfig<GatewayConfig>, Pick<Teams, 'ofRoutes' | 'ofUpstreams' | 'faults'> {}

/** Where something of the configuration stands in a file of a team. */
interface Origin {
  readonly document: YamlDocument;
  readonly source: TeamSource;
  /** Its path there. */
  readonly path: ConfigPath;
}

/** Adds to a configuration what files of teams bring, under the names that it has in the gateway. */
export function composedOf(main: ReadConfig<GatewayConfig>, teams: readonly ParsedTeam[]): Composed {
  const own = ownUpstreams(teams);
  const routes = new Parts<RouteConfig>(main.value.routes, listOf(main, 'routes'));
  const upstreams = new Map<string, Origin>();
  const values: GatewayConfig['upstreams'] = { ...main.value.upstreams };
  const raw: Record<string, unknown> = { ...(sectionsOf(main)['upstreams'] as object | undefined) };
  const cuts: Cuts[] = main.cuts === undefined ? [] : [main.cuts];
  const faults = teams.flatMap((team) =>
    namedFaults(team, main.value, own.get(team.source.team) ?? new Set()),
  );
  for (const { source, read } of teams) {
    if (read === undefined) continue;
    const name = (one: string): string =>
      own.get(source.team)?.has(one) === true ? ownName(source.team, one) : one;
    const origin = (...path: ConfigPath): Origin => ({ document: read.document, source, path });
    cuts.push(...cutsOf(read, source.team, routes.values.length));
    for (const [index, route] of read.value.routes.entries())
      routes.add(
        renamed(route, source.team, name),
        renamed((listOf(read, 'routes')[index] ?? {}) as Section, source.team, name),
        origin('routes', index),
      );
    for (const [key, one] of Object.entries(read.value.upstreams)) {
      const full = ownName(source.team, key);
      const twin = upstreams.get(full);
      if (twin !== undefined) {
        faults.push(twice(origin('upstreams', key), twin));
        continue;
      }
      upstreams.set(full, origin('upstreams', key));
      values[full] = renamedUpstream(one, source.team, name);
      raw[full] = (sectionsOf(read)['upstreams'] as Section)[key];
    }
  }
  const { include: _include, ...sections } = sectionsOf(main);
  return {
    value: { ...main.value, routes: routes.values, upstreams: values },
    document: {
      ...main.document,
      value: { ...sections, routes: routes.raw, upstreams: raw },
      locate: (path) => placeOf(path, main, routes.origins, upstreams),
    },
    ofRoutes: routes.origins.map((one) => one?.source),
    ofUpstreams: new Map([...upstreams].map(([name, { source }]) => [name, source])),
    faults,
    cuts: cuts.length === 0 ? undefined : joined(cuts),
  };
}

function joined(cuts: readonly Cuts[]): Cuts {
  return { paths: cuts.flatMap(({ paths }) => paths), routeIds: cuts.flatMap(({ routeIds }) => routeIds) };
}

/** What is not known of a file of a team, under the names that it has in the gateway. */
function cutsOf({ cuts }: ReadConfig<TeamFile>, team: string, routesBefore: number): readonly Cuts[] {
  if (cuts === undefined) return [];
  const paths = cuts.paths.map(([section = '', name, ...below]): ConfigPath => {
    if (section === 'routes' && typeof name === 'number') return [section, name + routesBefore, ...below];
    if (section === 'upstreams' && name !== undefined)
      return [section, ownName(team, String(name)), ...below];
    return name === undefined ? [section] : [section, name, ...below];
  });
  return [{ paths, routeIds: cuts.routeIds.map((id) => ownName(team, id)) }];
}

class Parts<Value> {
  readonly values: Value[];
  readonly raw: unknown[];
  readonly origins: (Origin | undefined)[];

  constructor(values: readonly Value[], raw: readonly unknown[]) {
    this.values = [...values];
    this.raw = [...raw];
    this.origins = values.map(() => undefined);
  }

  add(value: Value, raw: unknown, origin: Origin): void {
    this.values.push(value);
    this.raw.push(raw);
    this.origins.push(origin);
  }
}

function ownUpstreams(teams: readonly ParsedTeam[]): ReadonlyMap<string, ReadonlySet<string>> {
  const own = new Map<string, Set<string>>();
  for (const { source, read } of teams) {
    const names = own.get(source.team) ?? new Set();
    for (const name of Object.keys(read?.value.upstreams ?? {})) names.add(name);
    // Those that are at fault are there all the same.
    for (const [section, name] of read?.cuts?.paths ?? [])
      if (section === 'upstreams' && name !== undefined) names.add(String(name));
    own.set(source.team, names);
  }
  return own;
}

function twice(origin: Origin, { document, path }: Origin): Teams['faults'][number] {
  const [section = '', name = ''] = origin.path;
  const { line, column } = document.locate(path);
  const message = `is there twice: also at ${document.file}:${line}:${column}`;
  return {
    file: origin.document.file,
    ...origin.document.locate(origin.path),
    key: `${section}[${name}]`,
    message,
  };
}

function placeOf(
  path: ConfigPath,
  main: ReadConfig<GatewayConfig>,
  routes: readonly (Origin | undefined)[],
  upstreams: ReadonlyMap<string, Origin>,
): ReturnType<YamlDocument['locate']> {
  const [section, name, ...below] = path;
  const origin =
    section === 'routes' && typeof name === 'number'
      ? routes[name]
      : section === 'upstreams'
        ? upstreams.get(String(name))
        : undefined;
  if (origin === undefined) return main.document.locate(path);
  return { ...origin.document.locate([...origin.path, ...below]), file: origin.document.file };
}

function sectionsOf({ document }: ReadConfig<GatewayConfig | TeamFile>): Section {
  return (document.value ?? {}) as Section;
}

function listOf(read: ReadConfig<GatewayConfig | TeamFile>, key: string): readonly unknown[] {
  const list = sectionsOf(read)[key];
  return Array.isArray(list) ? list : [];
}
