import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Outlet } from '../commands.ts';
import { namesOf } from './part-names.ts';
import type { GenerateCommand } from './scaffold-command.ts';
import { plan, writeAll } from './template.ts';

/**
 * Writes a part of a project, with its spec, into a folder of its own, and says what is left to do.
 *
 * @throws UsageError for a name that would make no code.
 * @throws {Error} for files that are there already; nothing is written then.
 */
export function runGenerate({ part, as, directory }: GenerateCommand, out: Outlet): void {
  const names = namesOf(as);
  if (!existsSync(directory)) throw new Error(`there is no folder ${directory}; name one with --dir`);
  const files = plan(part, join(directory, as), names);
  writeAll(files);
  out.write(files.map(({ path }) => `  ${path}\n`).join(''));
  if (part === 'policy')
    return void out.write(`\nNext: put @${names['Name']}() on a controller or a handler.\n`);
  out.write(`
Next:
  list it in ${join(directory, 'modules.ts')}:
    import { ${names['camel']} } from './${as}/${as}.module.ts';
  name it and its upstream in the configuration:
    modules: [${as}]
    upstreams: { ${as}: { targets: ['http://127.0.0.1:4000'] } }
`);
}
