/**
 * Builds the site of the documentation into `docs/.vitepress/dist`, or serves it on loopback: with `--dev` as it is edited, with
 * `--preview` as it was built. With `--check` it is only seen whether it can be built, in less than half of the time. What it takes to build is installed on demand, into a folder of its own.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const SITE = join(import.meta.dirname, '../docs/.vitepress');
const STAMP = join(SITE, 'node_modules/.installed');

const { values } = parseArgs({
  options: {
    dev: { type: 'boolean', default: false },
    preview: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    port: { type: 'string', default: '5173' },
  },
});
install();
process.exitCode = run(process.execPath, [
  join(SITE, 'node_modules/vitepress/bin/vitepress.js'),
  ...commandOf(),
]);

function commandOf(): string[] {
  if (values.dev) return ['dev', '..', '--host', '127.0.0.1', '--port', values.port];
  if (values.preview) return ['preview', '..', '--host', '127.0.0.1', '--port', values.port];
  return ['build', '..'];
}

/** Installs what the lock file names, unless just that is there. */
function install(): void {
  const lock = readFileSync(join(SITE, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return;
  const status = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  if (status !== 0) process.exit(status);
  writeFileSync(STAMP, digest);
}

/** Where the site has its own `tsconfig.json`: the bundler takes the one of the folder that it runs in. */
function run(command: string, args: readonly string[]): number {
  const env = values.check ? { ...process.env, DOCS_CHECK: '1' } : process.env;
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: SITE,
    env,
    // A check that passes has nothing to say.
    stdio: values.check ? 'pipe' : 'inherit',
  });
  if (values.check && status !== 0) process.stderr.write(`${stdout.toString()}${stderr.toString()}`);
  return status ?? 1;
}
