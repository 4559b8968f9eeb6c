import { basename, extname, join } from 'node:path';
import type { z } from 'zod';
import { ConfigError, type ConfigFault } from '../../config/config-fault.ts';
import type { IncludedPart } from '../../config/config-bundle.ts';
import { FormError, readConfig, type ReadConfig } from '../../config/config-reader.ts';
import type { Variables } from '../../config/interpolation.ts';
import { rightsFor, teamName, type IncludeEntry } from './include.schema.ts';
import { mayRead, outsideNames, type OutsideRights } from './outside-names.ts';
import { placedStrays } from './strays.ts';
import type { TeamFile } from './team-file.schema.ts';
import type { TeamSource } from './teams.ts';

/** A file of a team that was read, or what is wrong with its form. */
export interface ParsedTeam {
  readonly source: TeamSource;
  readonly entry: IncludeEntry;
  readonly read: ReadConfig<TeamFile> | undefined;
  readonly faults: readonly ConfigFault[];
  /** What is left of it without its faults of form, where something is. */
  readonly rest?: () => ParsedTeam | undefined;
}

/** What a file of a team is read with. */
export interface TeamReading {
  /** The folder of the gateway's file, as it was named. */
  readonly folder: string;
  readonly schema: z.ZodType<TeamFile>;
  readonly variables: Variables;
  readonly entry: IncludeEntry;
  readonly grantedAt: string;
  /** Patterns of variables that other teams may refer to. */
  readonly othersVariables: readonly string[];
}

/** The team whose file it is. */
export function teamOf({ name }: Pick<IncludedPart, 'name'>, { team }: Pick<IncludeEntry, 'team'>): string {
  return team ?? basename(name, extname(name));
}

/** Reads one file. Never throws. */
export function parseTeam(part: IncludedPart, reading: TeamReading): ParsedTeam {
  const { folder, schema, entry, grantedAt } = reading;
  const file = join(folder, part.name);
  const team = teamOf(part, entry);
  const source: TeamSource = { file, team, rights: rightsFor(team, entry.rights), grantedAt };
  const failed = (faults: readonly ConfigFault[]): ParsedTeam => ({ source, entry, read: undefined, faults });
  if (part.fault !== undefined) return failed([{ file, key: '', message: part.fault }]);
  if (entry.team === undefined && !teamName.safeParse(team).success) {
    const message =
      'expected a file that is called after its team, in letters, digits, dashes and underscores';
    return failed([{ file, key: '', message: `${message}; or \`team\` beside \`files\` at ${grantedAt}` }]);
  }
  try {
    const { othersVariables } = reading;
    const outside = { ...source.rights, othersVariables, folders: [folder, process.cwd()] };
    const known = allowedVariables(reading.variables, outside);
    const read = readConfig(schema, part.text, file, known, LONG_OF_TEAM);
    const said = read.value.team;
    const strays = outsideNames(read.document.value, outside);
    if (strays.length > 0) return failed(placedStrays(strays, source, read.document));
    if (said === undefined || said === team) return { source, entry, read, faults: [] };
    // What a file may do goes by a name that its team does not choose.
    const message = `expected ${team}, which ${entry.team === undefined ? 'the file is called' : `${grantedAt} says`}`;
    return failed([{ file, ...read.document.locate(['team']), key: 'team', message }]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const parsed = failed(error.faults.map((fault) => explained(fault, reading)));
    return error instanceof FormError ? { ...parsed, rest: () => restOf(error, parsed) } : parsed;
  }
}

// Who it is, and what it may name, is checked once its form is right: what it names in vain is told all the same.
function restOf(error: FormError, { source, entry }: ParsedTeam): ParsedTeam | undefined {
  const { left, found = [] } = error.rest() ?? {};
  const read = left as ReadConfig<TeamFile> | undefined;
  if (read === undefined || (read.value.team ?? source.team) !== source.team) return undefined;
  const strays = placedStrays(outsideNames(read.document.value, source.rights), source, read.document);
  return { source, entry, read: strays.length > 0 ? undefined : read, faults: [...found, ...strays] };
}

/** There may be hundreds of files, each of them short: together they are as long as one that is read piece by piece. */
const LONG_OF_TEAM = 1000;

function allowedVariables(variables: Variables, rights: OutsideRights): Variables {
  if (rights.variables.length === 0) return {};
  return Object.fromEntries(Object.entries(variables).filter(([name]) => mayRead(name, rights)));
}

const UNSET = /^environment variable (\w+) is not set/;

// That it is set says nothing to whoever may not know it: the same is told of all.
function explained(fault: ConfigFault, { grantedAt }: TeamReading): ConfigFault {
  const [, name] = UNSET.exec(fault.message) ?? [];
  if (name === undefined) return fault;
  return {
    ...fault,
    message: `${fault.message}, or is not one of the \`variables\` that ${grantedAt} gives this team`,
  };
}
