import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Outlet } from '../commands.ts';
import { namesOf } from './part-names.ts';
import type { GenerateCommand } from './scaffold-command.ts';
import { plan, writeAll, type PlannedFile } from './template.ts';

/** A part of a project, how it is called, and the folder that its own goes to. */
type Part = Pick<GenerateCommand, 'part' | 'as' | 'directory'>;

/**
 * Writes a part of a project, with its spec, into a folder of its own, and says what is left to do.
 *
 * @throws UsageError for a name that would make no code.
 * @throws {Error} for files that are there already; nothing is written then.
 */
export function runGenerate(part: GenerateCommand, out: Outlet): void {
  const { directory } = part;
  const files = plannedPart(part);
  if (!existsSync(directory)) throw new Error(`there is no folder ${directory}; name one with --dir`);
  writeAll(files);
  out.write(`${files.map(({ path }) => `  ${path}\n`).join('')}\n${nextSteps(part)}\n`);
}

/** The files of a part. @throws UsageError for a name that would make no code. */
export function plannedPart({ part, as, directory }: Part): readonly PlannedFile[] {
  return plan(part, join(directory, as), namesOf(as));
}

/** What is left to do for a part that has been written. @param root the folder of the list of modules. */
export function nextSteps({ part, as, directory }: Part, root: string = directory): string {
  const { Name, camel } = namesOf(as);
  if (part === 'policy') return `Next: put @${Name}() on a controller or a handler.`;
  return `Next:
  list it in ${join(root, 'modules.ts')}:
    import { ${camel} } from './${posix.join(posix.relative(root, directory), as, `${as}.module.ts`)}';
  name it and its upstream in the configuration:
    modules: [${as}]
    upstreams: { ${as}: { targets: ['http://127.0.0.1:4000'] } }`;
}
