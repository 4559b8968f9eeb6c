import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SUITE = 'http-cache-tests';
const VERSION = '0.4.5';
/** Git ignores it, and to delete it is to start again. */
const INSTALLED = join(import.meta.dirname, '.installed');
const LONGEST_INSTALL_MS = 5 * 60_000;

/** Installs the suite, unless it is there. @returns its folder. */
export function installSuite(): string {
  const folder = join(INSTALLED, 'node_modules', SUITE);
  if (existsSync(join(folder, 'package.json'))) return folder;
  mkdirSync(INSTALLED, { recursive: true });
  // A manifest of its own, or npm would look for one further up.
  writeFileSync(join(INSTALLED, 'package.json'), '{ "private": true }\n');
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', `${SUITE}@${VERSION}`],
    { cwd: INSTALLED, encoding: 'utf8', timeout: LONGEST_INSTALL_MS },
  );
  if (status !== 0) throw new Error(`cannot install ${SUITE}@${VERSION}: ${stderr}`);
  return folder;
}
