import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../listeners/free-port.ts';
import type { LoadOptions, LoadResult } from './load.ts';

/** The flags that the bin is started with; a spec compares them. */
export const START_FLAGS = [
  '--max-semi-space-size=64',
  '--no-allocation-site-pretenuring',
  '--v8-pool-size=1',
  '--external-memory-accounted-in-global-limit',
] as const;

const STARTS_WITHIN_MS = 60_000;
const POLL_MS = 50;
const ENDS_WITHIN_MS = 5000;
const LONGEST_OUTPUT = 20_000;

/** A server that is measured. */
export interface Subject {
  readonly port: number;
  /** CPU time of all its threads up to now, in microseconds. */
  cpuUs(): Promise<number>;
  end(): Promise<void>;
}

/** Starts the load; it makes one round at a time. */
export function startLoad(): { run(options: LoadOptions): Promise<LoadResult>; end(): Promise<void> } {
  const child = forked('load-process');
  return {
    end: () => ended(child),
    async run(options) {
      child.send(options);
      const { result, error } = (await told(child)) as { result?: LoadResult; error?: string };
      if (result === undefined) throw new Error(`the load could not be made: ${error}`);
      return result;
    },
  };
}

/** Starts the bare pipe. @param target where it goes. */
export async function startPipe(target: string): Promise<Subject> {
  const child = forked('pipe-process', { TARGET: target });
  const { port } = (await told(child)) as { port: number };
  return {
    port,
    end: () => ended(child),
    async cpuUs() {
      child.send({});
      return ((await told(child)) as { cpuUs: number }).cpuUs;
    },
  };
}

/**
 * Starts the gateway as it would run, but alone, on ports of its own.
 *
 * @throws {Error} with what it says, when it does not listen.
 */
export async function startGateway(bin: string, configFile: string): Promise<Subject> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [...START_FLAGS, bin, 'start', '--config', configFile], {
    env: {
      // Its listener of operators is this machine's, and asked for nothing but its CPU time.
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ADMIN_'))),
      PORT: String(port),
      HOST: '127.0.0.1',
      ADMIN_PORT: String(adminPort),
      ADMIN_HOST: '127.0.0.1',
      WORKERS: '1',
      DRAIN_DELAY: '0s',
      GATEHOUSE_WATCH: 'off',
    },
    // What it logs costs it the writing, and nobody reads it.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-LONGEST_OUTPUT)));
  process.once('exit', () => child.kill('SIGKILL'));
  await untilListening(child, port, () => output);
  return { port, end: () => ended(child), cpuUs: () => cpuOf(adminPort) };
}

async function cpuOf(adminPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const seconds = /^process_cpu_seconds_total(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1];
  if (seconds === undefined) throw new Error('the gateway does not tell what CPU time it has used');
  return Number(seconds) * 1e6;
}

function forked(name: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  // Built or not, it is beside this file.
  const file = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
  const child = fork(file, { env: { ...process.env, ...env }, execArgv: [] });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function told(child: ChildProcess): Promise<unknown> {
  const stop = new AbortController();
  const gone = once(child, 'exit', { signal: stop.signal }).then(() => {
    throw new Error('a process of the measurement has ended');
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: stop.signal }), gone])) as [
      unknown,
    ];
    return message;
  } finally {
    gone.catch(() => undefined);
    stop.abort();
  }
}

async function untilListening(child: ChildProcess, port: number, output: () => string): Promise<void> {
  for (let waited = 0; waited < STARTS_WITHIN_MS; waited += POLL_MS) {
    if (child.exitCode !== null) throw new Error(`the gateway does not start:\n${output()}`);
    if (await accepts(port)) return;
    await sleep(POLL_MS);
  }
  await ended(child);
  throw new Error(`the gateway did not listen within ${STARTS_WITHIN_MS / 1000} s:\n${output()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  await gone;
  clearTimeout(timer);
}
