import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { BIN, COMPILED, MODULES, type BinResult } from './child.ts';

/** The last line that a demo prints once everything stands. */
const READY = 'Ctrl-C stops everything.';

/** A command that the demo prints, and what it says about it. */
export interface DemoCommand {
  readonly shows: string;
  readonly command: string;
}

/** The demo in a process of its own. */
export class Demo {
  readonly #child: ChildProcess;
  readonly #done: Promise<unknown>;
  #said = { stdout: '', stderr: '' };

  constructor(environment: Readonly<Record<string, string>>, args: readonly string[] = []) {
    const { PATH = '' } = process.env;
    const env = {
      PATH,
      NODE_COMPILE_CACHE: COMPILED,
      GATEHOUSE_BIN: BIN,
      GATEHOUSE_MODULES: MODULES,
      ...environment,
    };
    // A group of its own, as a terminal makes one, so that Ctrl-C reaches what a terminal's would.
    this.#child = spawn(process.execPath, ['examples/demo.ts', ...args], { env, detached: true });
    this.#done = once(this.#child, 'close');
    for (const stream of ['stdout', 'stderr'] as const)
      this.#child[stream]?.setEncoding('utf8').on('data', (text: string) => (this.#said[stream] += text));
  }

  /** Resolves once everything stands, with all that was printed. */
  async introduction(): Promise<string> {
    while (!this.#said.stdout.includes(READY)) {
      if (this.#child.exitCode !== null) throw new Error(`the demo ended: ${this.#said.stderr}`);
      await Promise.race([once(this.#child.stdout as NodeJS.ReadableStream, 'data'), this.#done]);
    }
    return this.#said.stdout;
  }

  /** The ids of the demo and of the processes that it started. */
  processes(): number[] {
    const pid = this.#child.pid as number;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  }

  /** What Ctrl-C in its terminal does; resolves when everything that holds its output has ended. */
  async interrupt(): Promise<BinResult> {
    if (this.#child.exitCode === null) process.kill(-(this.#child.pid as number), 'SIGINT');
    return this.end();
  }

  /** Waits for its end. */
  async end(): Promise<BinResult> {
    await this.#done;
    return { code: this.#child.exitCode, ...this.#said };
  }
}

/** The commands of an introduction, with the line above each of them. */
export function commandsOf(introduction: string): DemoCommand[] {
  const found = introduction.matchAll(/^# \d+\. (.+)\n(curl .+)$/gm);
  return [...found].map(([, shows = '', command = '']) => ({ shows, command }));
}

/**
 * Runs a command as a reader would who pastes it, and returns what it writes.
 *
 * @throws {Error} with its exit code and what it complained about.
 */
export function paste(command: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 15_000 });
  if (status !== 0) throw new Error(`${command} ended with ${String(status)}: ${stderr}`);
  return stdout;
}

/** @throws {Error} unless there is a curl in PATH, without which the demo's commands cannot be tried. */
export function requireCurl(): void {
  const { error } = spawnSync('curl', ['--version']);
  if (error !== undefined)
    throw new Error('there is no curl in PATH; install it to test the commands of the demo');
}

/** Whether somebody listens on a port of the loopback interface. */
export async function isTaken(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  const free = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  if (free) await once(probe.close(), 'close');
  return !free;
}
