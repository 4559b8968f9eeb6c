/**
 * Long bodies, slow ones, a target that hangs, and clients at rest: `npm run bodies`. It ends with one line for each
 * promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopChild } from '../children.ts';
import { usageOf } from '../cpu.ts';
import { chooseCores } from '../machine.ts';
import { Stand, type Subject } from '../stand.ts';
import { percentile } from '../steady-load.ts';
import { download, openIdle, steadyLoad, upload } from './clients.ts';

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '10' },
    idle: { type: 'string', default: '10000' },
    /** A part of the name of what is tried. */
    only: { type: 'string', default: '' },
  },
});
const BYTES = Number(values.gigabytes) * 1e9;
const MIB = 2 ** 20;
const LOOK_EVERY_MS = 100;
const LOAD_MS = 8000;
/** Turns with and without slow bodies, one after the other: many short ones, because a machine stalls for seconds at times. */
const TURNS = 15;
const TURN_MS = 4000;
const SLOW = 200;
const SETTLE_MS = 1500;
const FIRST_BYTE_MS = 300;
/** The wait before a retry, and an answer. */
const ONE_RETRY_MS = 100;

/** What became of a promise. */
interface Outcome {
  readonly kept: boolean;
  readonly line: string;
}

const stand = new Stand(chooseCores());
process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
try {
  await stand.open(1);
  await stand.addServices('bodies/services.ts');
  process.exitCode = (await all()) ? 0 : 1;
} finally {
  await stand.close();
}

async function all(): Promise<boolean> {
  const parts: readonly [string, (gateway: Subject) => Promise<Outcome[]>][] = [
    ['long bodies', longBodies],
    ['a hanging target', hangingTarget],
    ['slow bodies', slowBodies],
    ['clients at rest', idleClients],
  ];
  const outcomes: Outcome[] = [];
  for (const [name, run] of parts.filter(([name]) => name.includes(values.only))) {
    const gateway = await stand.startGateway({
      name: 'bodies',
      config: 'bodies/gateway.yaml',
      logLevel: 'warn',
    });
    const some = await run(gateway);
    for (const { kept, line } of some) console.log(`${kept ? 'kept  ' : 'BROKEN'} ${name}: ${line}`);
    outcomes.push(...some);
    gateway.child.kill('SIGTERM');
  }
  return outcomes.every(({ kept }) => kept);
}

/** The most memory that is held while something runs, and what was before it, in bytes. */
async function watched<T>(pid: number, run: () => Promise<T>): Promise<{ result: T; growth: number }> {
  const before = usageOf(pid).rssBytes;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, usageOf(pid).rssBytes)), LOOK_EVERY_MS);
  try {
    return { result: await run(), growth: most - before };
  } finally {
    clearInterval(timer);
  }
}

async function longBodies({ origin, pid }: Subject): Promise<Outcome[]> {
  const ways: readonly [string, (bytes: number) => Promise<number>][] = [
    ['down, declared', (bytes) => download(origin, `/long/declared/${bytes}`)],
    ['down, in chunks', (bytes) => download(origin, `/long/chunked/${bytes}`)],
    ['up, declared', (bytes) => upload(origin, '/long/sink', bytes, true)],
    ['up, in chunks', (bytes) => upload(origin, '/long/sink', bytes, false)],
  ];
  // The heap takes the size that it is going to have.
  for (const [, move] of ways) await move(BYTES / 20);
  const outcomes: Outcome[] = [];
  for (const [name, move] of ways) {
    const startedAt = performance.now();
    const { result, growth } = await watched(pid, () => move(BYTES));
    const rate = BYTES / 1e6 / ((performance.now() - startedAt) / 1000);
    const line = `${(result / 1e9).toFixed(1)} GB ${name}: RSS +${(growth / MIB).toFixed(0)} MiB (at most 40), ${rate.toFixed(0)} MB/s`;
    outcomes.push({ kept: result === BYTES && growth <= 40 * MIB, line });
  }
  return outcomes;
}

async function hangingTarget({ origin }: Subject): Promise<Outcome[]> {
  await steadyLoad(`${origin}/half-hanging`, LOAD_MS);
  await fetch(stand.env['HANGING'] ?? '', { method: 'PUT' });
  const p99 = percentile(await steadyLoad(`${origin}/half-hanging`, LOAD_MS), 0.99);
  const most = FIRST_BYTE_MS + ONE_RETRY_MS;
  return [
    {
      kept: p99 <= most,
      line: `p99 ${p99.toFixed(1)} ms, at most ${most} (firstByte ${FIRST_BYTE_MS} and one retry)`,
    },
  ];
}

async function slowBodies({ origin }: Subject): Promise<Outcome[]> {
  const { port } = new URL(origin);
  const [alone, beside]: [number[], number[]] = [[], []];
  await steadyLoad(`${origin}/quick`, LOAD_MS);
  for (let turn = 0; turn < TURNS; turn += 1) {
    alone.push(percentile(await steadyLoad(`${origin}/quick`, TURN_MS), 0.99));
    const slow = stand.startScript('bodies/slow.ts', { PORT: port, EACH: String(SLOW) });
    await sleep(SETTLE_MS);
    beside.push(percentile(await steadyLoad(`${origin}/quick`, TURN_MS), 0.99));
    await stopChild(slow);
    await sleep(SETTLE_MS);
  }
  const change = percentile(beside, 0.5) / percentile(alone, 0.5) - 1;
  const list = (all: number[]): string => all.map((one) => one.toFixed(1)).join(' ');
  return [
    {
      kept: change < 0.2,
      line: `p99 changes by ${(100 * change).toFixed(0)} % (less than 20); ms alone ${list(alone)}, beside ${SLOW} uploads and downloads ${list(beside)}`,
    },
  ];
}

async function idleClients({ origin, pid }: Subject): Promise<Outcome[]> {
  await steadyLoad(`${origin}/quick`, LOAD_MS / 4);
  const count = Number(values.idle);
  const before = usageOf(pid).rssBytes;
  const { result: sockets, growth } = await watched(pid, () => openIdle(Number(new URL(origin).port), count));
  const alive = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  const line = `${alive} of ${count} keep-alive clients: RSS +${(growth / MIB).toFixed(0)} MiB (at most 300), ${((before + growth) / MIB).toFixed(0)} in all`;
  return [{ kept: alive === count && growth <= 300 * MIB, line }];
}
