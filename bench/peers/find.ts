import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../machine.ts';
import { debianLibraries, NPM_MODULES, versionIn } from './install.ts';
import type { Program, Script } from './servers.ts';

const REPOSITORY_MODULES = join(import.meta.dirname, '..', '..', 'node_modules');

/** A server that can be started, with its version, or why it cannot. */
export type Found =
  | { readonly version: string; readonly command: string; readonly env: Readonly<Record<string, string>> }
  | { readonly skipped: string };

/** Looks for a server, and installs it where that is wanted and possible. */
export function find(server: Program | Script, install: boolean): Found {
  try {
    return 'command' in server ? findProgram(server, install) : findScript(server, install);
  } catch (error) {
    return { skipped: `${(error as Error).message}. What to do: ${server.todo}` };
  }
}

/** The first version number in what a program says about itself. */
export function versionOf(text: string): string | undefined {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
}

function findProgram(server: Program, install: boolean): Found {
  const there = onPath(server.command);
  const command = there ?? server.installed;
  if (!existsSync(command)) {
    if (!install) throw new Error(`${server.command} is neither on the PATH nor installed`);
    server.install();
  }
  // What is on the PATH has its libraries where the loader looks for them.
  const env = there === undefined ? { ...server.env, LD_LIBRARY_PATH: debianLibraries() } : { ...server.env };
  const said = spawnSync(command, server.versionArgs, { env: { ...process.env, ...env }, encoding: 'utf8' });
  const text = `${said.stdout ?? ''}${said.stderr ?? ''}`;
  if (said.status !== 0) throw new Error(`${command} does not run: ${said.error?.message ?? text.trim()}`);
  return { version: versionOf(text) ?? 'unknown', command, env };
}

function findScript(server: Script, install: boolean): Found {
  if (install) server.install?.();
  const folder = server.install === undefined ? REPOSITORY_MODULES : NPM_MODULES;
  const manifest = join(folder, server.package, 'package.json');
  if (!existsSync(manifest)) throw new Error(`${server.package} is not installed`);
  return { version: versionIn(manifest), command: process.execPath, env: {} };
}
