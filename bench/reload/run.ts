/**
 * More than a thousand reloads under steady load, after 840 to warm up: `npm run reload`. It ends with one line for each promise, and
 * with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../../src/listeners/free-port.ts';
import { KindsServer } from '../../test/support/kinds-server.ts';
import { startChild, stopChild, untilListening } from '../children.ts';
import { chooseCores } from '../machine.ts';
import { Load } from './load.ts';
import { CYCLE, variant, type Places } from './variants.ts';
import { judge, type Held } from './verdict.ts';

/** What the probe tells. */
type Told = Omit<Held, 'held'>;

const ROOT = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({ options: { reloads: { type: 'string', default: String(5 * CYCLE) } } });
const RELOADS = Number(values.reloads);
/** After so many, pools, code and heap are what they are going to be. With the default, both looks see the same configuration. */
const WARM_UP = Math.min(2 * CYCLE, Math.floor(RELOADS / 3));
const PAUSE_MS = 40;
const QUIET_MS = 8000;
const LOOKS = 5;
const LOOK_EVERY_MS = 1000;

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-reload-'));
const file = join(folder, 'gateway.yaml');
const probe = join(folder, 'probe.json');
const services = await Promise.all([startService(), startService(), startService()]);
const kinds = await Promise.all([new KindsServer().start(), new KindsServer().start()]);
const places: Places = { http: services.map(urlOf), grpc: kinds.map(({ url }) => url) };
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  for (const one of services) one.close();
  for (const one of kinds) one.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<boolean> {
  writeFileSync(file, variant(0, places));
  const [port, adminPort] = [await freePort(), await freePort()];
  const gateway = startGateway(port, adminPort);
  await untilListening(gateway, port, 'the gateway');
  const admin = `http://127.0.0.1:${adminPort}`;
  let before: Held | undefined;
  let load = begin(port);
  const loads = [load];
  for (let step = 1; step <= RELOADS; step += 1) {
    await reload(gateway, admin, step);
    if (step % 100 === 0) console.log(`${step} reloads, ${load.requests} requests since the last look`);
    if (step !== WARM_UP) continue;
    await load.stop();
    before = await look(gateway, admin);
    loads.push((load = begin(port)));
  }
  await load.stop();
  const after = await look(gateway, admin);
  await stopChild(gateway);
  const verdict = judge(before as Held, after, loads, RELOADS);
  for (const { kept, line } of verdict) console.log(`${kept ? 'kept  ' : 'BROKEN'} ${line}`);
  return verdict.every(({ kept }) => kept);
}

function begin(port: number): Load {
  const load = new Load(`http://127.0.0.1:${port}`);
  load.start(16, 4);
  return load;
}

async function reload(gateway: ChildProcess, admin: string, step: number): Promise<void> {
  writeFileSync(file, variant(step, places));
  const seen = await reloadsOf(admin);
  gateway.kill('SIGHUP');
  while ((await reloadsOf(admin)) === seen) await sleep(2);
  await sleep(PAUSE_MS);
}

async function reloadsOf(admin: string): Promise<string | undefined> {
  const { lastReload } = (await (await fetch(`${admin}/config`)).json()) as {
    lastReload?: { at: string; outcome: string };
  };
  if (lastReload !== undefined && lastReload.outcome !== 'reloaded')
    throw new Error(`a reload was refused: ${JSON.stringify(lastReload)}`);
  return lastReload?.at;
}

// Nobody asks any more, and what is idle has had time to end. The least of several looks: pages are given back by and by.
async function look(gateway: ChildProcess, admin: string): Promise<Held> {
  await sleep(QUIET_MS);
  let least: Told | undefined;
  for (let turn = 0; turn < LOOKS; turn += 1) {
    const told = await glance(gateway);
    if (least === undefined || told.rss < least.rss) least = told;
    await sleep(LOOK_EVERY_MS);
  }
  const { held } = (await (await fetch(`${admin}/config`)).json()) as { held: number };
  return { ...(least as Told), held };
}

async function glance(gateway: ChildProcess): Promise<Told> {
  rmSync(probe, { force: true });
  gateway.kill('SIGUSR2');
  while (!existsSync(probe)) await sleep(10);
  return JSON.parse(readFileSync(probe, 'utf8')) as Told;
}

function startGateway(port: number, adminPort: number): ChildProcess {
  // A small young generation: that of the bin grows for minutes, whether anything is reloaded or not.
  const flags = [
    '--max-semi-space-size=8',
    '--no-allocation-site-pretenuring',
    '--v8-pool-size=1',
    '--external-memory-accounted-in-global-limit',
  ];
  const args = [
    ...flags,
    `--import=${join(import.meta.dirname, 'probe.mjs')}`,
    join(ROOT, 'bin/gatehouse.js'),
  ];
  return startChild({
    command: process.execPath,
    args: [...args, 'start', '--config', file],
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      LOG_LEVEL: 'error',
      GATEHOUSE_WATCH: 'off',
      PROBE_FILE: probe,
    },
    core: chooseCores().measured,
  });
}

async function startService(): Promise<Server> {
  const server = createServer((request, response) => {
    const body = JSON.stringify({ name: request.url, internal: 'of the service' });
    response.setHeader('content-type', 'application/json');
    setTimeout(() => response.end(body), request.url?.endsWith('slow') ? 200 : 0);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
