import { realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, type ConfigFault } from '../../config/config-fault.ts';
import type { GatewayModule } from '../../config/gateway-module.ts';
import { missingImport } from './missing-import.ts';

/** Packages that keep what decorators say: two copies of one would not know of each other. */
const ONE_COPY = ['gatehouse', '@nestjs/common', '@nestjs/core', '@nestjs/graphql', 'graphql'];

/**
 * Loads files that export `modules` (or `default`), a list of modules. Those in `.ts` are compiled as they are loaded.
 *
 * @throws {ConfigError} for a file without such a list, and for packages of which the project has another copy.
 * @throws {Error} with its stack for what fails while it is loaded: a defect of the code.
 */
export async function loadModules(files: readonly string[]): Promise<readonly GatewayModule[]> {
  const faults = files.flatMap(copies);
  if (faults.length > 0) throw new ConfigError(faults);
  const lists = await Promise.all(files.map(loadFile));
  return lists.flat();
}

async function loadFile(file: string): Promise<readonly GatewayModule[]> {
  if (/\.m?ts$/.test(file)) (await import('./typescript-loader.ts')).registerTypeScript();
  const loaded = await importFile(file);
  const list: unknown = loaded['modules'] ?? loaded['default'];
  if (!Array.isArray(list) || !list.every(isModule))
    throw new ConfigError([
      {
        file,
        key: '',
        message: 'expected `export const modules`, a list of modules, each with its `name` and `module`',
      },
    ]);
  return list;
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    // What a decorator was given is read while its class is loaded, and says its place itself.
    if (error instanceof ConfigError || (error as Error | undefined)?.name === 'ConfigError') throw error;
    const missing = missingImport(error);
    if (missing !== undefined) throw new ConfigError([missing]);
    const told = Error.isError(error) ? (error.stack ?? error.message) : String(error);
    throw new Error(`${file} cannot be loaded: ${told}`, { cause: error });
  }
}

function isModule(value: unknown): value is GatewayModule {
  const { name, module } = (value ?? {}) as Partial<GatewayModule>;
  const isClass = typeof module === 'function' || (typeof module === 'object' && module !== null);
  return typeof name === 'string' && name.length > 0 && isClass;
}

function copies(file: string): ConfigFault[] {
  const theirs = pathToFileURL(resolve(file)).href;
  return ONE_COPY.flatMap((name) => {
    const [own, other] = [placeOf(name, import.meta.url), placeOf(name, theirs)];
    if (own === undefined || other === undefined || own === other) return [];
    const message = `finds another copy of ${name} (${dirname(other)}) than the gateway (${dirname(own)}); install the version that gatehouse depends on, and run the bin of that project`;
    return [{ file, key: '', message }];
  });
}

function placeOf(name: string, from: string): string | undefined {
  try {
    const found = findPackageJSON(name, from);
    // Links of workspaces and of other package managers lead to one copy.
    return found === undefined ? undefined : realpathSync(found);
  } catch {
    // The import of it will say so.
    return undefined;
  }
}
