import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../../config/config-fault.ts';
import type { OfferedModules } from '../commands.ts';
import { UsageError } from '../options.ts';

/** Commands that compile a configuration, and with it the code of its modules. */
const COMPILING: ReadonlySet<string | undefined> = new Set([
  'access',
  'bench',
  'client',
  'contracts',
  'diff',
  'doctor',
  'explain',
  'openapi',
  'replay',
  'routes',
  'simulate',
  'start',
  'validate',
]);
const VARIABLE = 'GATEHOUSE_MODULES';

/** Arguments without what is said of modules, and the modules. */
export interface TakenModules {
  readonly rest: readonly string[];
  readonly modules: OfferedModules;
  /** Variables that the project's own file has a say in. */
  readonly shown: Readonly<Record<string, string>>;
}

/**
 * Finds out which modules a command can use: those of `--modules FILE`, which may be given several times, else of
 * `GATEHOUSE_MODULES`, else what the caller offers, else of `gatehouse.config.ts` of the folder. They are loaded when the
 * command needs them.
 *
 * @throws UsageError for `--modules` without a value, or with a command that knows no modules.
 * @throws {ConfigError} for a file that is not there, and for what is wrong with `gatehouse.config.ts`.
 */
export async function takeModules(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  offered: OfferedModules | undefined,
): Promise<TakenModules> {
  // It loads them in processes of its own, again and again.
  if (args[0] === 'dev') return { rest: args, modules: [], shown: {} };
  const { rest, files } = split(args);
  if (!COMPILING.has(args[0])) {
    if (files.length > 0) throw new UsageError(`--modules: ${args[0] ?? 'this'} needs no modules`);
    return { rest, modules: offered ?? [], shown: {} };
  }
  const project = await (await import('./project-file.ts')).readProject(process.cwd());
  const config = env['GATEHOUSE_CONFIG']?.trim() ? undefined : project?.value.config;
  const shown = config === undefined ? {} : { GATEHOUSE_CONFIG: config };
  if (files.length > 0) return { rest, modules: lazily(files, '--modules'), shown };
  const variable = env[VARIABLE]?.trim();
  if (variable) return { rest, modules: lazily([variable], VARIABLE), shown };
  if (offered !== undefined) return { rest, modules: offered, shown };
  const own = [project?.value.modules ?? []].flat();
  return { rest, modules: project === undefined ? [] : lazily(own, project.file), shown };
}

function lazily(files: readonly string[], said: string): OfferedModules {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0)
    throw new ConfigError(
      missing.map((file) => ({ file: said, key: '', message: `there is no file ${resolve(file)}` })),
    );
  // Only commands whose configuration names modules wait for the code.
  return async () => (await import('./load-modules.ts')).loadModules(files);
}

function split(args: readonly string[]): { readonly rest: string[]; readonly files: string[] } {
  const rest: string[] = [];
  const files: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] as string;
    const [name, inline] = argument.split(/=(.*)/s);
    if (name !== '--modules') rest.push(argument);
    else {
      const value = inline ?? args[(at += 1)];
      if (!value || (inline === undefined && value.startsWith('-')))
        throw new UsageError('--modules: expected a value');
      files.push(value);
    }
  }
  return { rest, files };
}
