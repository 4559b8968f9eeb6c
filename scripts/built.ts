import 'reflect-metadata';
import { join } from 'node:path';

/**
 * Loads a module of the built gateway: modules of Nest cannot be run from their source. Run `npm run build` first.
 *
 * @param path below `src`, without its ending.
 */
export async function built<Module>(path: string): Promise<Module> {
  return (await import(join(import.meta.dirname, '../dist', `${path}.js`))) as Module;
}
