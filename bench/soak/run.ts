/**
 * All known attacks at once beside honest load: `npm run soak`. It ends with one line for each promise, and with 1 when
 * one was broken. See README.md in this folder.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopChild } from '../children.ts';
import { usageOf } from '../cpu.ts';
import { chooseCores } from '../machine.ts';
import { Stand } from '../stand.ts';
import type { Tally } from './attack.ts';
import type { Seen } from './honest.ts';
import { judge, type Sample } from './verdict.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    /** A part of the name of the attacks to make; `none` for honest load alone. */
    only: { type: 'string' },
  },
});
/** For honest callers, and as many others for attackers. */
const CALLERS = 64;
const SAMPLE_EVERY_MS = 5000;
/** Honest clients alone: before, until pools and caches are warm, and after, until what attackers held is gone. */
const WARM_UP_MS = 20_000;
const SETTLE_MS = 45_000;

const stand = new Stand(chooseCores());
process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
try {
  process.exitCode = (await soak(Number(values.minutes) * 60_000)) ? 0 : 1;
} finally {
  await stand.close();
}

async function soak(durationMs: number): Promise<boolean> {
  await stand.open(2 * CALLERS);
  await stand.addServices('soak/hostile.ts');
  const gateway = await stand.startGateway({
    name: 'soak',
    config: 'soak/gateway.yaml',
    logLevel: 'info',
    needsRedis: true,
  });
  const env = (tokens: readonly string[]): Record<string, string> => ({
    PORT: new URL(gateway.origin).port,
    TOKENS: JSON.stringify(tokens),
    ...(values.only === undefined ? {} : { ONLY: values.only }),
  });
  const startedAt = performance.now();
  const sample = (): Sample => look(gateway.pid, startedAt);
  const honest = stand.startScript('soak/honest.ts', env(stand.tokens.slice(0, CALLERS)));
  const seen = readSeen(honest, sample);
  await sleep(WARM_UP_MS);
  const before = sample();
  const attackers = stand.startScript('soak/attackers.ts', env(stand.tokens.slice(CALLERS)), 19);
  const tallies = text(attackers);
  honest.kill('SIGUSR2');
  const samples = [before];
  const ended = once(gateway.child, 'exit').then(() => 'ended');
  while (performance.now() - startedAt < WARM_UP_MS + durationMs) {
    if ((await Promise.race([sleep(SAMPLE_EVERY_MS), ended])) === 'ended') break;
    samples.push(sample());
  }
  honest.kill('SIGUSR2');
  await stopChild(attackers);
  printTallies(JSON.parse(await tallies) as Record<string, Tally>);
  const running = gateway.child.exitCode === null && gateway.child.signalCode === null;
  if (running) await sleep(SETTLE_MS);
  const quiet = running ? sample() : before;
  await stopChild(honest);
  const verdict = judge(samples, await seen, { running, quiet });
  for (const { kept, line } of verdict) console.log(`${kept ? 'kept  ' : 'BROKEN'} ${line}`);
  return verdict.every(({ kept }) => kept);
}

function printTallies(tallies: Readonly<Record<string, Tally>>): void {
  for (const [name, { begun, ended, failed }] of Object.entries(tallies)) {
    console.log(`${name.padEnd(50)} begun ${begun}, ended ${ended}, failed ${failed}`);
  }
}

function look(pid: number, startedAt: number): Sample {
  return {
    atS: Math.round((performance.now() - startedAt) / 1000),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    ...usageOf(pid),
  };
}

/** Prints what honest clients see as it goes, beside a look at the gateway; resolves to the sum. */
async function readSeen(honest: ChildProcess, sample: () => Sample): Promise<Seen> {
  let last: Seen = { requests: 0, failures: 0, p50Ms: 0, p99Ms: 0, maxMs: 0, faults: {} };
  for await (const line of createInterface({ input: honest.stdout as NodeJS.ReadableStream })) {
    last = JSON.parse(line) as Seen;
    const { atS, rssBytes, descriptors, cpuUs } = lastLook(sample);
    console.log(
      `${String(atS).padStart(4)} s  p50 ${last.p50Ms.toFixed(1)}  p99 ${last.p99Ms.toFixed(1)}  max ${last.maxMs.toFixed(0)} ms  ` +
        `failed ${last.failures}/${last.requests} ${JSON.stringify(last.faults)}  ` +
        `RSS ${Math.round(rssBytes / 2 ** 20)} MiB  fds ${descriptors}  CPU ${(cpuUs / 1e6).toFixed(0)} s`,
    );
  }
  return last;
}

// The gateway may have ended; what clients saw of that is worth a line all the same.
function lastLook(sample: () => Sample): Sample {
  try {
    return sample();
  } catch {
    return { atS: NaN, rssBytes: 0, descriptors: 0, cpuUs: 0 };
  }
}

async function text(child: ChildProcess): Promise<string> {
  let all = '';
  for await (const piece of child.stdout as NodeJS.ReadableStream) all += String(piece);
  return all;
}
