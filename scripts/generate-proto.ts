/**
 * Generates code and descriptor sets from `proto/`, without network: lint, format check, then both. The code of
 * whatever a team adds to `proto/` goes to `src/routes/services/gen`, each file under the path of its schema, and the descriptor set
 * of each folder of its own to `config/descriptors`.
 * With `--check` it writes nothing and exits 1 when what is checked in is not what `proto/` yields.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, sep } from 'node:path';

const ROOT = dirname(import.meta.dirname);
const GOOGLE_RPC = 'node_modules/google-proto-files/google/rpc';
const BUF = join(ROOT, 'node_modules/@bufbuild/buf/bin/buf');

/** The folders of `proto/` whose code belongs to the gateway itself, or to its tests; those of teams are the others. */
const OWN = new Set(['envoy', 'grpc', 'test']);

/** Folders of code, each made of nothing but what the schemas of the paths yield. */
const CODE: Readonly<Record<string, readonly string[]>> = {
  'src/routes/services/gen': [...teamSchemas().flatMap((path) => ['--path', path]), '--include-imports'],
  'src/upstreams/grpc/gen': [
    '--path',
    'proto/grpc',
    '--path',
    'proto/envoy',
    '--path',
    `${GOOGLE_RPC}/status.proto`,
    '--path',
    `${GOOGLE_RPC}/error_details.proto`,
  ],
};

/** Descriptor sets, imports included, by the schemas that they describe. */
const DESCRIPTOR_SETS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(teamSchemas().map((path) => [`config/descriptors/${nameOf(path)}.binpb`, path])),
  'proto/test/kinds.binpb': 'proto/test',
};

/** Generated files by their path from the root; their bytes as latin1. */
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

/** Everything in `proto/` that a team has put there: folders, and files beside them. */
function teamSchemas(): readonly string[] {
  const entries = readdirSync(join(ROOT, 'proto'), { recursive: true, encoding: 'utf8' });
  const schemas = entries.filter((path) => path.endsWith('.proto') && !OWN.has(path.split(sep)[0] ?? ''));
  const first = new Set(schemas.map((path) => join('proto', path.split(sep)[0] ?? '')));
  return [...first].sort();
}

function nameOf(path: string): string {
  return basename(path, '.proto');
}

function generate(scratch: string, checkOnly: boolean): number {
  const steps = [
    ['lint', 'proto'],
    ['format', 'proto', checkOnly ? '--diff' : '--write', '--exit-code'],
    ...Object.entries(CODE).map(([folder, what]) => [
      'generate',
      ...what,
      '--template',
      'proto/buf.gen.yaml',
      '--output',
      join(scratch, folder),
    ]),
    ...Object.entries(DESCRIPTOR_SETS).map(([file, path]) => [
      'build',
      '--path',
      path,
      '--as-file-descriptor-set',
      '--output',
      join(scratch, file),
    ]),
  ];
  for (const file of Object.keys(DESCRIPTOR_SETS))
    mkdirSync(dirname(join(scratch, file)), { recursive: true });
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
  // The generator is code that each run would compile anew, twice what it takes to run it.
  const NODE_COMPILE_CACHE = join(ROOT, 'node_modules/.cache/gatehouse-proto-compiled');
  const env = { ...process.env, PATH: path, BUF_CACHE_DIR: join(scratch, '.cache'), NODE_COMPILE_CACHE };
  const done = spawnSync(process.execPath, [BUF, ...args], { cwd: ROOT, env, stdio: 'inherit' });
  if (done.error !== undefined) throw done.error;
  return done.status ?? 1;
}

function report(scratch: string): number {
  const stale = changes(scratch);
  if (stale.length === 0) return 0;
  const list = stale.map((path) => `  ${path}`).join('\n');
  console.error(`what is generated from proto/ is stale, run "npm run generate":\n${list}`);
  return 1;
}

function write(scratch: string): number {
  const fresh = read(scratch);
  for (const path of changes(scratch)) {
    const content = fresh.get(path);
    const target = join(ROOT, path);
    if (content === undefined) rmSync(target);
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content, 'latin1');
    }
    console.log(`${content === undefined ? 'removed' : 'wrote'} ${path}`);
  }
  return 0;
}

function changes(scratch: string): string[] {
  const fresh = read(scratch);
  const present = read(ROOT);
  const paths = new Set([...fresh.keys(), ...present.keys()]);
  return [...paths].filter((path) => fresh.get(path) !== present.get(path)).sort();
}

function read(root: string): Tree {
  const inFolders = Object.keys(CODE).flatMap((folder) =>
    list(join(root, folder)).map((path) => join(folder, path)),
  );
  const paths = [
    ...inFolders,
    ...Object.keys(DESCRIPTOR_SETS).filter((path) => existsSync(join(root, path))),
  ];
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'latin1')]));
}

function list(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
