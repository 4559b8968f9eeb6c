import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isOwnHome } from './own-build.ts';
import type { WatchedFolder } from './file-watch.ts';

const USUAL = 'proto';
const CODE = 'src/gen';
const BIN = fileURLToPath(new URL('../../../bin/gatehouse.js', import.meta.url));

/** The schemas of a project, of which code and descriptor sets are generated again when they change. */
export class Protos {
  readonly #folder: string | undefined;
  readonly #say: (line: string) => void;
  #told: ReadonlySet<string> = new Set();
  #running: ChildProcess | undefined = undefined;

  /** @param folder default `proto`, where it has schemas. @param say hears what was written. */
  constructor(folder: string | undefined, say: (line: string) => void) {
    // Of a checkout of the gateway itself there is more to generate: `npm run generate`.
    const isProject = !isOwnHome();
    this.#folder = folder ?? (isProject && hasSchemas(USUAL) ? USUAL : undefined);
    this.#say = say;
  }

  /** What is looked at for changes. */
  get folders(): readonly WatchedFolder[] {
    if (this.#folder === undefined) return [];
    return [{ path: resolve(this.#folder), kind: 'proto', isMeant: (path) => path.endsWith('.proto') }];
  }

  /** Generates, in a process of its own. @returns what is wrong; undefined when all is well. Never rejects. */
  async generate(): Promise<string | undefined> {
    // Code is only written where there is some.
    const code = existsSync(CODE) ? [] : ['--no-code'];
    const args = [BIN, 'proto', 'generate', this.#folder ?? USUAL, ...code];
    const child = (this.#running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const isWell = await new Promise<boolean>((told) => {
      child.once('error', () => told(false)).once('close', (status) => told(status === 0));
    });
    this.#running = undefined;
    if (!isWell) return err.trimEnd();
    const lines = `${err}${out}`.split('\n').filter((line) => line !== '');
    // What lint says is told once.
    for (const line of lines) if (!this.#told.has(line) || !line.startsWith('warning:')) this.#say(line);
    this.#told = new Set(lines);
    return undefined;
  }

  /** Ends one that runs. */
  stop(): void {
    this.#running?.kill('SIGKILL');
  }
}

function hasSchemas(folder: string): boolean {
  return (
    existsSync(folder) &&
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((file) => file.endsWith('.proto'))
  );
}
