import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../options.ts';
import type { Outlet } from '../commands.ts';
import { namesOf } from './part-names.ts';
import type { InitCommand } from './scaffold-command.ts';
import { plan, writeAll, type Replacements } from './template.ts';

type Versions = Readonly<Record<string, string>>;

/** What npm takes as the name of a package. */
const PACKAGE_NAME = /^[a-z0-9][a-z0-9._-]{0,213}$/;

/**
 * Writes a project of a team's own into a new or an empty directory.
 *
 * @throws UsageError for a name that npm would not take.
 * @throws {Error} for a directory with anything in it; nothing is written then.
 */
export function runInit(command: InitCommand, out: Outlet): void {
  const { directory } = command;
  const name = command.project ?? basename(resolve(directory));
  if (!PACKAGE_NAME.test(name))
    throw new UsageError(
      `init: expected a name of small letters, digits and dashes, found "${name}"; give one with --name`,
    );
  if (!isEmpty(directory)) throw new Error(`nothing was written: ${directory} is not empty`);
  const products = join(directory, 'src/products');
  const files = [
    ...plan('project', directory, { name, ...versions(command.package) }),
    ...plan('module', products, namesOf('products', 'catalog')),
  ];
  writeAll(files);
  const written = files.map(({ path }) => `  ${path}\n`).join('');
  out.write(`${written}\nNext:\n  cd ${directory}\n  npm install\n  npm test\n  npm run dev\n`);
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).every((file) => file === '.git');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

// The versions that this package was tested with; what decorators say is kept by one copy of Nest.
function versions(spec: string | undefined): Replacements {
  const { version, dependencies, devDependencies } = createRequire(import.meta.url)(
    '../../../package.json',
  ) as {
    readonly version: string;
    readonly dependencies: Versions;
    readonly devDependencies: Versions;
  };
  const of = (name: string): string => dependencies[name] ?? devDependencies[name] ?? '*';
  return {
    gatehouse: spec ?? version,
    nestVersion: of('@nestjs/common'),
    zodVersion: of('zod'),
    nodeVersion: of('node'),
    nodeTypesVersion: of('@types/node'),
    typescriptVersion: of('typescript'),
  };
}
