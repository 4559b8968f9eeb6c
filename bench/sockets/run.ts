/**
 * A thousand WebSockets at once through the gateway, and how its memory fares: `npm run bench:sockets`. It ends with 1 when a
 * message was lost or the memory grew. See README.md in this folder.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { freePort } from '../../src/listeners/free-port.ts';
import { startChild, stopChild, untilListening } from '../children.ts';
import { usageOf } from '../cpu.ts';
import { chooseCores } from '../machine.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '12' },
    bytes: { type: 'string', default: '100' },
  },
});
const SOCKETS = Number(values.sockets);
const ROUNDS = Number(values.rounds);
/** Messages of each socket in a round, each sent when the one before has come back. */
const MESSAGES = 50;
/** Rounds until code, pools and young generation are what they are going to be. */
const WARM_UP = Math.floor(ROUNDS / 2);
/** How much the resident memory may grow over the rounds that count. */
const MAY_GROW = 1.05;
const MEBIBYTE = 2 ** 20;
const message = 'x'.repeat(Number(values.bytes));

/** What is measured: the gateway, or its bare twin. */
interface Subject {
  readonly name: string;
  readonly path: string;
  start(port: number, servicePort: number): ChildProcess;
}

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sockets-'));
const { measured: core } = chooseCores();

const SUBJECTS: readonly Subject[] = [
  {
    name: 'gateway',
    path: '/echo',
    start: (port, servicePort) => {
      const file = join(folder, 'gateway.yaml');
      writeFileSync(file, configOf(servicePort));
      const args = ['--max-semi-space-size=16', join(ROOT, 'bin/gatehouse.js'), 'start', '--config', file];
      const env = { PORT: String(port), ADMIN_PORT: '0', LOG_LEVEL: 'warn', NODE_ENV: 'production' };
      return startChild({ command: process.execPath, args, env, core });
    },
  },
  {
    name: 'ws, bare',
    path: '/echo',
    start: (port, servicePort) => {
      const args = [
        '--max-semi-space-size=16',
        join(ROOT, 'bench/sockets/relay.ts'),
        String(port),
        String(servicePort),
      ];
      return startChild({ command: process.execPath, args, core });
    },
  },
];

try {
  const kept = [];
  for (const subject of SUBJECTS) kept.push(await run(subject));
  process.exitCode = kept[0] === true ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function configOf(servicePort: number): string {
  return JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { echo: { targets: [`http://127.0.0.1:${servicePort}`] } },
    routes: [
      {
        id: 'echo',
        match: { path: '/echo' },
        upstream: 'echo',
        webSocket: { perPrincipal: SOCKETS, idle: '1h' },
      },
    ],
  });
}

async function run({ name, path, start }: Subject): Promise<boolean> {
  const [port, servicePort] = [await freePort(), await freePort()];
  const service = startChild({
    command: process.execPath,
    args: [join(ROOT, 'bench/sockets/service.ts'), String(servicePort)],
    core: undefined,
  });
  await untilListening(service, servicePort, 'the service');
  const child = start(port, servicePort);
  await untilListening(child, port, name);
  const pid = child.pid as number;
  const atRest = usageOf(pid).rssBytes;
  const sockets = await openAll(`ws://127.0.0.1:${port}${path}`);
  const opened = usageOf(pid).rssBytes;
  console.log(`${name}: ${mib(atRest)} at rest, ${mib(opened)} with ${SOCKETS} sockets open`);
  let settled = Infinity;
  let last = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const before = usageOf(pid).cpuUs;
    const lost = await talk(sockets);
    const { cpuUs, rssBytes } = usageOf(pid);
    const perMessage = (cpuUs - before) / (SOCKETS * MESSAGES);
    console.log(
      `${name}: round ${round}: ${mib(rssBytes)}, ${perMessage.toFixed(1)} µs of CPU for a message and its echo`,
    );
    if (lost > 0) throw new Error(`${lost} sockets have ended`);
    if (round === WARM_UP) settled = rssBytes;
    last = rssBytes;
  }
  for (const socket of sockets) socket.close();
  await sleep(2000);
  console.log(`${name}: ${mib(usageOf(pid).rssBytes)} after all have left`);
  await stopChild(child);
  await stopChild(service);
  const isKept = last <= settled * MAY_GROW;
  console.log(
    `${isKept ? 'kept  ' : 'BROKEN'} ${name}: ${mib(settled)} after round ${WARM_UP}, ${mib(last)} after round ${ROUNDS}`,
  );
  return isKept;
}

async function openAll(url: string): Promise<readonly WebSocket[]> {
  const sockets: WebSocket[] = [];
  while (sockets.length < SOCKETS) {
    const some = Array.from({ length: Math.min(50, SOCKETS - sockets.length) }, () => {
      const socket = new WebSocket(url, [], { perMessageDeflate: false } as never);
      return once(socket, 'open').then(() => socket);
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

/** Has every socket say its messages. @returns how many have ended. */
async function talk(sockets: readonly WebSocket[]): Promise<number> {
  const ends = sockets.map(
    (socket) =>
      new Promise<number>((resolve) => {
        let heard = 0;
        const take = (): void => {
          heard += 1;
          if (heard < MESSAGES) return socket.send(message);
          socket.off('message', take).off('close', gone);
          resolve(0);
        };
        const gone = (): void => resolve(1);
        socket.on('message', take).once('close', gone);
        socket.send(message);
      }),
  );
  return (await Promise.all(ends)).reduce((sum, one) => sum + one, 0);
}

function mib(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
