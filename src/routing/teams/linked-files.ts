import { realpathSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';

/**
 * Whether a file that a team names leads somewhere else by a link: whoever may write into a folder can put one there, to a key of
 * another team. What is not there leads nowhere, and is told by who reads it.
 *
 * @param granted what it may name, and stands below of.
 * @param folders where relative names start from.
 */
export function leadsOut(file: string, granted: readonly string[], folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const real = realOf(resolve(folder, file));
    return real !== undefined && !granted.some((one) => isWithin(real, realOf(resolve(folder, one))));
  });
}

function isWithin(path: string, root: string | undefined): boolean {
  return root !== undefined && relative(root, path).split(sep)[0] !== '..';
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
