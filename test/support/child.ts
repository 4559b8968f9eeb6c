import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from './gateway.ts';

/** A build of the tests' own, beside the packages that it needs, so that nobody else's build takes it away. */
export const HOME = join(process.cwd(), 'node_modules/.cache/gatehouse-e2e');
/** The bin of that build. */
export const BIN = join(HOME, 'bin/gatehouse.js');
/** The sample's modules of that build; those of `gatehouse.config.js` are of another one. */
export const MODULES = join(HOME, 'dist/routes/index.js');
/** What Node keeps of code that it has compiled once; a process starts in two thirds of the time. */
export const COMPILED = `${HOME}.compiled`;
const LOCK = `${HOME}.lock`;
const STAMP = join(HOME, 'built');
const LOCK_IS_STALE_MS = 60_000;

/** Builds the gateway when a source file is newer than the last build; several test processes wait for one build. */
export async function ensureBuilt(): Promise<void> {
  mkdirSync(join(HOME, '..'), { recursive: true });
  while (!tryLock()) await sleep(100);
  try {
    if (isStale()) build();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

function tryLock(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    const since = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > LOCK_IS_STALE_MS) rmSync(LOCK, { recursive: true, force: true });
    return false;
  }
}

function isStale(): boolean {
  const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((file) => join('src', file));
  const templates = readdirSync('templates', { recursive: true, encoding: 'utf8' });
  const others = [...templates.map((file) => join('templates', file)), 'bin/gatehouse.js', 'package.json'];
  return [...sources, ...others].some((file) => statSync(file).mtimeMs > built);
}

function build(): void {
  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(HOME);
  cpSync('bin', join(HOME, 'bin'), { recursive: true });
  cpSync('package.json', join(HOME, 'package.json'));
  cpSync('templates', join(HOME, 'templates'), { recursive: true });
  // What is no source file travels as it is.
  cpSync('src', join(HOME, 'dist'), { recursive: true, filter: (file) => !file.endsWith('.ts') });
  const options = ['-d', join(HOME, 'dist'), '--config-file', '.swcrc', '--strip-leading-paths'];
  const swc = spawnSync(process.execPath, ['node_modules/@swc/cli/bin/swc.js', 'src', ...options]);
  if (swc.status !== 0) throw new Error(`the build failed: ${String(swc.stdout)}${String(swc.stderr)}`);
  writeFileSync(STAMP, '');
}

/** A run of the bin that has ended. */
export interface BinResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the bin to its end. */
export async function runBin(args: readonly string[], env: Record<string, string> = {}): Promise<BinResult> {
  const child = startBin(args, env);
  const [out, error] = [collect(child, 'stdout'), collect(child, 'stderr')];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: out(), stderr: error() };
}

/** A gateway in a process of its own. */
export interface ChildGateway {
  readonly process: ChildProcess;
  readonly url: string;
  readonly adminUrl: string;
  /** Everything that it logged so far; fails for anything on its output that is no line of JSON. */
  lines(): LogLine[];
  /** What it wrote to its standard error. */
  stderr(): string;
  /** Resident memory in bytes. */
  memory(): number;
  /** Sends a signal and returns the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `gatehouse start` on free ports; resolves once it listens. */
export async function startChild(
  configFile: string,
  env: Record<string, string> = {},
): Promise<ChildGateway> {
  const child = startBin(['start', '--config', configFile], {
    PORT: '0',
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    DRAIN_DELAY: '0s',
    ...env,
  });
  const [out, error] = [collect(child, 'stdout'), collect(child, 'stderr')];
  const lines = () => out().split('\n').slice(0, -1).filter(Boolean).map((line) => JSON.parse(line) as LogLine); // prettier-ignore
  let listening: LogLine | undefined;
  while ((listening = lines().find((line) => line.msg === 'listening')) === undefined) {
    if (child.exitCode !== null) throw new Error(`the gateway ended: ${out()}${error()}`);
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'close')]);
  }
  return {
    process: child,
    url: String(listening['url']),
    adminUrl: String(listening['adminUrl']),
    lines,
    stderr: error,
    memory: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    async end(signal = 'SIGTERM') {
      if (child.exitCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      return code;
    },
  };
}

function startBin(args: readonly string[], env: Record<string, string>): ChildProcess {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH, NODE_COMPILE_CACHE: COMPILED, GATEHOUSE_MODULES: MODULES, ...env },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[stream]?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}
