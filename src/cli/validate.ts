import { describeRoutes, type ListedRoute } from '../admin/route-listing.ts';
import { ConfigError, formatFaults, type ConfigFault } from '../config/config-fault.ts';
import { nearestName } from '../config/nearest-name.ts';
import { operatorsTargets } from '../routing/operators-targets.ts';
import { warningsOf } from '../snapshot/config-warnings.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled } from './compiled.ts';
import { UsageError } from './options.ts';
import { renderTable } from './table.ts';

/** Which configuration somebody wants to have checked. */
export interface ValidateCommand {
  readonly name: 'validate';
  readonly configFile: string | undefined;
  /** Whether what is found is told as data, faults as well. */
  readonly json: boolean;
}

interface Outlets {
  readonly out: Outlet;
  readonly err: Outlet;
}

/**
 * Says that a configuration is valid, and warns of what it may not mean.
 *
 * @returns whether it is, where faults are told as data.
 * @throws {ConfigError} with all that is wrong, where they are not.
 */
export async function runValidate(
  { configFile, json }: ValidateCommand,
  modules: OfferedModules,
  { out, err }: Outlets,
): Promise<boolean> {
  try {
    const { warnings, text, file } = await checked(configFile, modules);
    if (json) out.write(`${JSON.stringify({ valid: true, file, faults: [], warnings }, null, 2)}\n`);
    else {
      if (warnings.length > 0)
        err.write(`${formatFaults(warnings, { color: err.isTTY === true, noun: 'warning' })}\n`);
      out.write(`${text}\n`);
    }
    return true;
  } catch (error) {
    if (!json || !(error instanceof ConfigError)) throw error;
    out.write(`${JSON.stringify({ valid: false, faults: error.faults, warnings: [] }, null, 2)}\n`);
    return false;
  }
}

async function checked(
  configFile: string | undefined,
  modules: OfferedModules,
): Promise<{ readonly file: string; readonly warnings: readonly ConfigFault[]; readonly text: string }> {
  const { gateway, source, current, environment } = await compiled(configFile, modules);
  const operators = { host: environment.adminHost, port: environment.adminPort };
  // What stands in the files is counted as it was written there: versions and methods make several routes of one.
  const written = source.value.routes.length;
  const places = placesOf(source.teams?.sources.length ?? 0);
  const ofCode = current.table.routes.filter(({ door }) => door === 'handler').length;
  // Only a warning here: it may be the gateway itself that listens there, before it hears of the change.
  const warnings = [
    ...warningsOf(current),
    ...operatorsTargets(source, operators),
    ...(await gateway.takenPorts()),
  ];
  await gateway.app.close();
  const { file } = source.document;
  const routes = `${written} ${written === 1 ? 'route' : 'routes'}`;
  return { file, warnings, text: `${file}: valid, ${routes} in ${places}, ${ofCode} in code` };
}

function placesOf(files: number): string {
  if (files === 0) return 'the file';
  return `the file and ${files} ${files === 1 ? 'file' : 'files'} of teams`;
}

/** What somebody wants to see of routes. */
export interface RoutesCommand {
  readonly name: 'routes';
  readonly configFile: string | undefined;
  /** Every column. */
  readonly wide: boolean;
  readonly json: boolean;
  /** Only the routes of one team. Default those of all, and the gateway's own. */
  readonly team: string | undefined;
}

/** Prints the compiled route table of both doors. @throws {ConfigError} with all that is wrong. */
export async function runRoutes(
  { configFile, wide, json, team }: RoutesCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<void> {
  const { gateway, current } = await compiled(configFile, modules);
  const all = describeRoutes(current.table.routes, current.upstreams, current.source.value);
  await gateway.app.close();
  const names = current.source.teams?.names ?? [];
  if (team !== undefined && !names.includes(team)) throw new UsageError(noTeam(team, names));
  const listed = team === undefined ? all : all.filter((one) => one.team === team);
  if (json) return void out.write(`${JSON.stringify(listed, null, 2)}\n`);
  out.write(renderTable(wide ? listed : listed.map(narrow), out));
}

// What fits a terminal: who is asked, and who may ask.
function narrow({ id, team, methods, path, upstream, authentication }: ListedRoute): object {
  return { id, ...(team !== undefined && { team }), methods, path, upstream, authentication };
}

function noTeam(team: string, names: readonly string[]): string {
  const nearest = nearestName(team, names);
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  return `routes: there is no team "${team}" in the configuration${hint}`;
}
