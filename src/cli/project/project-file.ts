import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, type ConfigFault } from '../../config/config-fault.ts';
import { nearestName } from '../../config/nearest-name.ts';
import type { ProjectConfig } from '../../config/project-config.ts';

const NAMES = ['gatehouse.config.ts', 'gatehouse.config.js', 'gatehouse.config.mjs'] as const;
const KEYS = ['config', 'modules'] as const;

/** A project's own file, and what it says. */
export interface ReadProject {
  readonly file: string;
  readonly value: ProjectConfig;
}

/**
 * Reads `gatehouse.config.ts`, or `.js`, or `.mjs`, of a folder; Node strips its types.
 *
 * @returns undefined where there is none.
 * @throws {ConfigError} with all that is wrong with it, more than one of them included.
 */
export async function readProject(folder: string): Promise<ReadProject | undefined> {
  const [name, second] = NAMES.filter((one) => existsSync(join(folder, one)));
  if (name === undefined) return undefined;
  const faultsOf = (messages: readonly string[]): ConfigFault[] =>
    messages.map((message) => ({ file: name, key: '', message }));
  if (second !== undefined) throw new ConfigError(faultsOf([`there is ${second} as well; keep one of them`]));
  const value = await exported(join(folder, name)).catch((error: unknown) => {
    throw new ConfigError(faultsOf([`cannot be loaded: ${String(error)}`]));
  });
  const faults = faultsIn(value, name);
  if (faults.length > 0) throw new ConfigError(faults);
  return { file: join(folder, name), value: value as ProjectConfig };
}

async function exported(path: string): Promise<unknown> {
  return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
}

function faultsIn(value: unknown, file: string): ConfigFault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ file, key: '', message: 'expected `export default defineConfig({ … })`' }];
  return Object.entries(value).flatMap(([key, said]): ConfigFault[] => {
    if (!(KEYS as readonly string[]).includes(key))
      return [{ file, key, message: 'unknown key', suggestion: nearestName(key, KEYS) }];
    if (said === undefined || isPath(said)) return [];
    if (key === 'config') return [{ file, key, message: 'expected the path of a file' }];
    return Array.isArray(said) && said.every(isPath)
      ? []
      : [{ file, key, message: 'expected the path of a file, or a list of such paths' }];
  });
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0;
}
