/**
 * Generates `src/clients/gen` from `proto/`, without network: lint, format check, then code.
 * With `--check` it writes nothing and exits 1 when the checked-in code is not what `proto/` yields.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const ROOT = dirname(import.meta.dirname);
const GENERATED = join(ROOT, 'src/clients/gen');
const BUF = join(ROOT, 'node_modules/@bufbuild/buf/bin/buf');

/** Files below a folder by relative path; none when the folder does not exist. */
type Tree = ReadonlyMap<string, string>;

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const unknown = args.find((arg) => arg !== '--check');
  if (unknown !== undefined) {
    console.error(`generate-proto: unknown argument ${unknown}; the only one is --check`);
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-proto-'));
  try {
    return generate(scratch, args.includes('--check'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function generate(scratch: string, checkOnly: boolean): number {
  const steps = [
    ['lint', 'proto'],
    ['format', 'proto', checkOnly ? '--diff' : '--write', '--exit-code'],
    ['generate', 'proto', '--template', 'proto/buf.gen.yaml', '--output', scratch],
  ];
  // `buf format --write --exit-code` also exits 100 when it changed something, which is no failure then.
  const formatted = checkOnly ? [0] : [0, 100];
  for (const step of steps) {
    const status = buf(step, scratch);
    if (!(step[0] === 'format' ? formatted : [0]).includes(status)) return 1;
  }
  return checkOnly ? report(scratch) : write(scratch);
}

function buf(args: readonly string[], scratch: string): number {
  // The generator is found beside us whatever the caller's PATH is, and runs on the Node that runs this.
  const path = [join(ROOT, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(
    delimiter,
  );
  const env = { ...process.env, PATH: path, BUF_CACHE_DIR: join(scratch, '.cache') };
  const done = spawnSync(process.execPath, [BUF, ...args], { cwd: ROOT, env, stdio: 'inherit' });
  if (done.error !== undefined) throw done.error;
  return done.status ?? 1;
}

function report(scratch: string): number {
  const stale = changes(scratch);
  if (stale.length === 0) return 0;
  console.error(
    `src/clients/gen is stale, run "npm run generate":\n${stale.map((path) => `  ${path}`).join('\n')}`,
  );
  return 1;
}

function write(scratch: string): number {
  const fresh = read(scratch);
  for (const path of changes(scratch)) {
    const text = fresh.get(path);
    const target = join(GENERATED, path);
    if (text === undefined) rmSync(target);
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    console.log(`${text === undefined ? 'removed' : 'wrote'} src/clients/gen/${path}`);
  }
  return 0;
}

function changes(scratch: string): string[] {
  const fresh = read(scratch);
  const present = read(GENERATED);
  const paths = new Set([...fresh.keys(), ...present.keys()]);
  return [...paths].filter((path) => fresh.get(path) !== present.get(path)).sort();
}

function read(folder: string): Tree {
  const tree = new Map<string, string>();
  for (const entry of safeList(folder)) tree.set(entry, readFileSync(join(folder, entry), 'utf8'));
  return tree;
}

function safeList(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .filter((path) => !path.startsWith('.cache'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
