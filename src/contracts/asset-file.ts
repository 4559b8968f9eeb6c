import { readFileSync } from 'node:fs';

/**
 * Reads a file of this room that is no module of it.
 *
 * @param path from this folder.
 */
export function readAsset(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
