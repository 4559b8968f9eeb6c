import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 30_000;
const POLL_MS = 25;
const KILL_AFTER_MS = 5000;
const living = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** How a child is started. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The core it is pinned to, if any. */
  readonly core: number | undefined;
  /** Where standard output goes: a file descriptor, or `pipe` to be read. */
  readonly stdout?: number | 'pipe' | 'ignore';
  /** Default: nothing to read. */
  readonly stdin?: 'pipe' | 'ignore';
}

/** Starts a child, pinned where that is possible. It ends with this process at the latest. */
export function startChild(options: ChildOptions): ChildProcess {
  const { core, stdin = 'ignore', stdout = 'ignore', env = {} } = options;
  // taskset replaces itself by the command, so that the pid is the command's.
  const line = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [command = '', ...args] = [...line, options.command, ...options.args];
  const child = spawn(command, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: [stdin, stdout, 'inherit'],
  });
  living.add(child);
  child.once('exit', () => living.delete(child));
  return child;
}

/** Waits until a child accepts connections. */
export async function untilListening(
  child: ChildProcess,
  port: number,
  name: string,
  host = '127.0.0.1',
): Promise<void> {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (!(await accepts(port, host))) {
    if (hasEnded(child)) throw new Error(`${name} ended before it listened`);
    if (Date.now() > giveUpAt) throw new Error(`${name} did not listen within ${READY_WITHIN_MS / 1000} s`);
    await sleep(POLL_MS);
  }
}

/** Asks a child to end, and ends it if it does not. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

/** Runs a child to its end and returns what it wrote to standard output. */
export async function outputOf(options: ChildOptions): Promise<string> {
  const child = startChild({ ...options, stdout: 'pipe' });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${options.command} ended with ${String(code)}: ${text.slice(0, 500)}`);
  return text;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
