import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Change, WatchedFolder } from './file-watch.ts';

const HOME = join(import.meta.dirname, '../../..');
const SOURCES = join(HOME, 'src');
const BUILT = join(HOME, 'dist');
/** No part of a build that is run. */
const OUTSIDE = /\.(?:spec|fixture)\.ts$|[\\/]console[\\/]page[\\/]/;

/** Whether the working directory is a checkout of the gateway itself. */
export function isOwnHome(): boolean {
  return process.cwd() === HOME && existsSync(join(SOURCES, 'cli/main.ts'));
}

/** Of a checkout: the gateway's own sources, and its build. A package has none. */
export function ownFolders(): readonly WatchedFolder[] {
  if (!existsSync(join(SOURCES, 'cli/main.ts'))) return [];
  return [
    { path: SOURCES, kind: 'own', isMeant: (path) => path.endsWith('.ts') && !OUTSIDE.test(path) },
    { path: BUILT, kind: 'own', isMeant: (path) => path.endsWith('.js') },
  ];
}

/** Says on standard error when the build of a checkout is old by now. @returns whether it was built again. */
export async function ownChanged(changes: readonly Change[]): Promise<boolean> {
  if (changes.length === 0) return false;
  const place = pathToFileURL(join(HOME, 'bin/stale-build.js')).href;
  const { noticeStaleBuild } = (await import(place)) as { readonly noticeStaleBuild: () => boolean };
  noticeStaleBuild();
  return changes.some(({ path }) => path.startsWith(BUILT));
}
