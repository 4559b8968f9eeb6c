import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, parse, relative, resolve } from 'node:path';

/** What a run of `buf` has said. */
export interface BufResult {
  readonly status: number;
  /** Its lines, of both streams. */
  readonly lines: readonly string[];
}

/** Where schemas of Google are that many import; what lies outside of the project is not for `buf` to read. */
const GOOGLE = 'node_modules/google-proto-files';
const MOST_BYTES = 64 * 2 ** 20;

/** The compiler of schemas, as the project has it, or as it is found on the PATH. */
export class Buf {
  readonly #command: readonly [string, ...string[]];
  readonly #cache: string;
  readonly #project: string;
  /** What it takes where the project has no `buf.yaml`; nothing where it has one, which is heeded. */
  readonly #config: readonly string[];

  /**
   * @param project the folder whose packages are used.
   * @param folder the folder of the schemas, within it.
   * @param cache where it may keep what it needs.
   */
  constructor(project: string, folder: string, cache: string) {
    const file = packageFile(project, '@bufbuild/buf', 'bin/buf');
    this.#command = file === undefined ? ['buf'] : [process.execPath, file];
    this.#project = project;
    this.#cache = cache;
    this.#config = hasConfig(project) ? [] : ['--config', JSON.stringify(configFor(project, folder))];
  }

  /**
   * Runs it on the schemas at some paths.
   *
   * @throws {Error} when there is none, saying how to get it.
   */
  run(verb: string, paths: readonly string[], args: readonly string[]): BufResult {
    const [command, ...before] = this.#command;
    const all = [
      ...before,
      verb,
      '.',
      ...paths.flatMap((path) => ['--path', path]),
      ...this.#config,
      ...args,
    ];
    const env = { ...process.env, BUF_CACHE_DIR: this.#cache };
    const done = spawnSync(command, all, { cwd: this.#project, env, maxBuffer: MOST_BYTES });
    if (done.error !== undefined) {
      const { code, message } = done.error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'is not installed' : `cannot be run: ${message}`;
      throw new Error(`\`buf\` ${why}; npm install --save-dev @bufbuild/buf @bufbuild/protoc-gen-es`);
    }
    const lines = `${String(done.stdout)}\n${String(done.stderr)}`.split('\n').filter((line) => line !== '');
    return { status: done.status ?? 1, lines };
  }
}

/** A file of a package, as a project finds it; undefined where the package is not installed. */
export function packageFile(project: string, name: string, file: string): string | undefined {
  try {
    const manifest = createRequire(join(project, 'package.json')).resolve(`${name}/package.json`);
    return join(dirname(manifest), file);
  } catch {
    return undefined;
  }
}

function hasConfig(folder: string): boolean {
  const { root } = parse(resolve(folder));
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, 'buf.yaml')) || existsSync(join(at, 'buf.work.yaml'))) return true;
    if (at === root) return false;
  }
}

/** The schemas of a folder, beside those of Google that many import. */
function configFor(project: string, folder: string): object {
  const modules = [
    { path: relative(project, resolve(folder)) || '.' },
    ...(existsSync(join(project, GOOGLE))
      ? [{ path: GOOGLE, includes: [`${GOOGLE}/google/api`, `${GOOGLE}/google/rpc`] }]
      : []),
  ];
  return { version: 'v2', modules, lint: { use: ['STANDARD'] } };
}
