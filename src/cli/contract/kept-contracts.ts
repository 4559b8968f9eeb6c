import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { CONTRACT_FILES } from './contract-files.ts';
import { chooseBase, rootOf, textAt } from './git-base.ts';
import type { CheckContractsCommand } from './contracts-command.ts';

/** The contracts that clients were given. */
export interface KeptContracts {
  /** How messages call them. */
  readonly name: string;
  readonly openapi: string | undefined;
  readonly graphql: string | undefined;
  readonly problems: string | undefined;
  /** The list of accepted breaks as it was then. */
  readonly accepted: string;
}

/**
 * Reads the contracts of an older version: those of a folder, such as one that was unpacked from a release, or those that
 * git keeps.
 *
 * @throws {Error} when there are none to compare with, saying why and what to do.
 */
export function keptContracts(command: CheckContractsCommand): KeptContracts {
  const { against, folder, acceptedFile } = command;
  if (against !== undefined && existsSync(against) && statSync(against).isDirectory()) {
    const read = (file: string): string | undefined => textOf(join(against, file));
    return checked({ name: against, ...all(read), accepted: '' }, command);
  }
  const root = rootOf(process.cwd());
  if (root === undefined)
    throw new Error(`contracts check: ${process.cwd()} is no git checkout; --against takes a folder, too`);
  const inRoot = (path: string): string => relative(root, resolve(path)).replaceAll('\\', '/');
  const base = chooseBase(root, inRoot(join(folder, CONTRACT_FILES.openapi)), against);
  if ('reason' in base) throw new Error(`contracts check: nothing to compare with: ${base.reason}`);
  const read = (path: string): string | undefined => textAt(root, base, inRoot(path));
  const accepted = acceptedFile === undefined ? '' : (read(acceptedFile) ?? '');
  const name = `${base.name} (${base.commit.slice(0, 12)})`;
  return checked({ name, ...all((file) => read(join(folder, file))), accepted }, command);
}

type Texts = Pick<KeptContracts, keyof typeof CONTRACT_FILES>;

function all(read: (file: string) => string | undefined): Texts {
  return {
    openapi: read(CONTRACT_FILES.openapi),
    graphql: read(CONTRACT_FILES.graphql),
    problems: read(CONTRACT_FILES.problems),
  };
}

// Fails closed: a check that compares with nothing would pass whatever breaks.
function checked(kept: KeptContracts, { folder }: CheckContractsCommand): KeptContracts {
  if (kept.openapi !== undefined || kept.graphql !== undefined) return kept;
  const advice = `write them with "gatehouse contracts --out ${folder}" and commit them`;
  throw new Error(`contracts check: ${kept.name} has no contracts in ${folder}; ${advice}`);
}

/** The text of a file; undefined when there is none. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
