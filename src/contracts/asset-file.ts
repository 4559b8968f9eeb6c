import { readFileSync } from 'node:fs';

/**
 * Reads a file of this room that is no module of it.
 *
 * @param path from this folder.
 */
export function readAsset(path: string): string {
  // `nest build` keeps what it only copies below `dist/src`, because the root of the sources is the project.
  const room = import.meta.filename.endsWith('.ts') ? './' : '../src/contracts/';
  return readFileSync(new URL(room + path, import.meta.url), 'utf8');
}
