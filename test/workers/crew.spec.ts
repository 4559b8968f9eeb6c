import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/listeners/free-port.ts';
import { Crew } from '../../src/workers/crew.ts';
import { JointConfigDesk } from '../../src/workers/joint-config-desk.ts';
import { JointReloads } from '../../src/workers/joint-reloads.ts';
import type { Member } from '../../src/workers/member.ts';
import { Turns } from '../../src/workers/turns.ts';
import { LineBuffer } from '../../src/telemetry/line-buffer.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import type { LogLine } from '../support/gateway.ts';

const SILENT_MS = 600;
let folder: string;
let file: string;
/** A file that slow ones wait for. */
let gate: string;
let world: World;
let out: { readonly fd: number; readonly reader: ChildProcess };

/** Two stand-ins, and all that became of them. */
interface World {
  readonly crew: Crew;
  readonly reloads: JointReloads;
  readonly lines: LogLine[];
  readonly ends: string[];
  readonly outcomes: string[];
  /** What stand-ins begin with; undefined for the configuration in force. */
  text: string | undefined;
  begun: number;
  lost: number;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-crew-'));
  out = slowOutput(join(folder, 'pipe'), join(folder, 'out'));
  file = join(folder, 'gateway.yaml');
  cluster.setupPrimary({
    execArgv: [],
    exec: join(import.meta.dirname, 'stand-in.ts'),
    stdio: ['ignore', out.fd, 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  gate = join(folder, 'gate');
  world = worldOf();
});

afterEach(async () => {
  await world.crew.stop();
  world.crew.kill();
  out.reader.kill('SIGKILL');
  closeSync(out.fd);
  rmSync(folder, { recursive: true });
});

/** A pipe whose reader begins late, so that whoever writes has to wait, and goes on with what came after that in a file. */
function slowOutput(pipe: string, file: string): { fd: number; reader: ChildProcess } {
  execFileSync('mkfifo', [pipe]);
  const fd = openSync(pipe, 'r+');
  return {
    fd,
    reader: spawn('sh', ['-c', `sleep 0.4; exec cat > '${file}'`], { stdio: [fd, 'ignore', 'inherit'] }),
  };
}

function worldOf(): World {
  const lines: LogLine[] = [];
  const logger = createLogger('info', {
    write: (line: string) => void lines.push(JSON.parse(line) as LogLine),
  });
  const err = new LineBuffer({ fd: 2 });
  const turns = new Turns<unknown>(out.fd);
  const made: Omit<World, 'crew' | 'reloads'> = {
    lines,
    ends: [],
    outcomes: [],
    text: undefined,
    begun: 0,
    lost: 0,
  };
  const reloads: JointReloads = new JointReloads({
    file,
    logger,
    members: () => crew.listening,
    ended: (outcome) => made.outcomes.push(outcome),
  });
  const crew: Crew = new Crew({
    wanted: 2,
    leaveMs: 500,
    silentMs: SILENT_MS,
    times: { firstDelayMs: 5 },
    logger,
    member: {
      err,
      turns,
      begin: (member) => {
        made.begun += 1;
        const inForce = reloads.begin(member);
        const { place } = reloads;
        return { ticketSecret: Buffer.alloc(32), text: made.text ?? inForce, place, waits: false };
      },
      config: new JointConfigDesk(() => reloads),
      changed: () => undefined,
      agree: (member, round) => reloads.agree(member, round),
      listening: (member, places) => {
        member.places = places;
        crew.tell(member);
        reloads.catchUp(member);
      },
      lastMetrics: () => undefined,
    },
    ended: (_, reason) => made.ends.push(reason),
    lost: () => (made.lost += 1),
  });
  return Object.assign(made, { crew, reloads });
}

async function start(text = 'serve'): Promise<void> {
  writeFileSync(file, text);
  await world.reloads.read();
  await world.crew.start();
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

const pids = (): readonly (number | undefined)[] => world.crew.all.map(({ pid }) => pid);
const isWhole = (): boolean => world.crew.workforce.serving === 2 && world.crew.all.length === 2;
const count = (msg: string): number => world.lines.filter((line) => line.msg === msg).length;

/** What all stand-ins go by. */
const texts = async (): Promise<readonly string[]> =>
  Promise.all(world.crew.all.map(async (member) => (await ask(member).catch(() => ({ text: 'gone' }))).text));

/** What a stand-in is asked over the pipe. */
async function ask(member: Member, url = '/'): Promise<{ text: string; reloads: number }> {
  const fields = { method: 'GET', url, headers: {}, address: '', localAddress: '', isTls: false };
  const verdict = { caller: { name: undefined, role: 'read', by: 'loopback' } } as const;
  const asked = { ...fields, verdict, isEcho: false, body: Buffer.alloc(0) };
  const { body } = await member.channel.ask('admin', asked);
  return JSON.parse(body.toString()) as { text: string; reloads: number };
}

/** Who answers on a port; 0 for a connection that ends without an answer. */
async function reached(port: number, patienceMs = 10_000): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.on('data', (chunk) => (text += String(chunk)));
  await once(socket, 'close');
  return Number(text);
}

describe('a worker that ends', () => {
  it('is replaced at once, and after pauses when it ends again and again, until none lives', async () => {
    await start();
    world.text = 'crash';
    for (const member of world.crew.all) member.kill();
    await until(() => world.lost > 0);
    expect(world.crew.all).toEqual([]);
    expect(count('a worker ends again and again')).toBe(2);
    // Five ends in a row at each place; who comes first there is not waited for.
    expect(world.ends.length).toBeGreaterThanOrEqual(10);
    expect(new Set(world.ends)).toEqual(new Set(['crashed']));
    const codes = world.lines.filter(({ msg }) => msg === 'a worker has ended').map((line) => line['code']);
    expect(codes.filter((code) => code === 7).length).toBe(world.ends.length - 2);
    expect(world.lost).toBe(1);
  });

  it('is no reason to give up while another one serves', async () => {
    await start();
    world.text = 'crash';
    world.crew.all[1]?.kill();
    await until(() => count('a worker ends again and again') > 0);
    expect(world.crew.workforce).toMatchObject({ serving: 1 });
    world.text = undefined;
    await until(isWhole);
    expect(world.lost).toBe(0);
  });

  it('is killed and replaced when it hangs, and only then', async () => {
    await start();
    const [first, second] = world.crew.all as [Member, Member];
    const hung = ask(second, '/hang').catch(() => 'gone');
    await until(() => second.isSilent);
    expect(first.isSilent).toBe(false);
    expect(await hung).toBe('gone');
    await until(isWhole);
    expect(world.ends).toEqual(['stuck']);
    expect(count('a worker gives no answer, and is killed')).toBe(1);
    expect(pids()[0]).toBe(first.pid);
    expect(pids()[1]).not.toBe(second.pid);
  });

  it('is replaced when it has no file descriptors left, and clients reach the new one', async () => {
    const port = await freePort();
    await start(`listen ${port}`);
    const before = pids();
    expect(new Set([await reached(port), await reached(port)])).toEqual(new Set(before));
    const second = world.crew.all[1] as Member;
    execFileSync('prlimit', ['--nofile=60', '--pid', String(second.pid)]);
    await ask(second, '/starve');
    await until(async () => {
      await reached(port, 100);
      return world.ends.length > 0;
    });
    await until(isWhole);
    expect(world.ends).toEqual(['stuck']);
    expect(pids()).not.toContain(before[1]);
    expect(new Set([await reached(port), await reached(port)])).toEqual(new Set(pids()));
  });

  it('is replaced all the same when it does so while its successor does not start', async () => {
    await start();
    const [first] = world.crew.all as [Member];
    world.text = 'never';
    world.crew.restart('test');
    await until(() => world.begun === 3);
    first.kill();
    await until(() => world.ends.length === 1);
    world.text = undefined;
    world.crew.all.find(({ slot, state }) => slot === 1 && state === 'starting')?.kill();
    await until(isWhole);
    expect(world.crew.isRestarting).toBe(false);
  });
});

describe('workers that are restarted', () => {
  it('are restarted once for two orders, and end all of them when they are stopped meanwhile', async () => {
    await start();
    const before = pids();
    world.crew.restart('one');
    world.crew.restart('other');
    await until(() => count('all workers were restarted') === 1);
    expect(world.ends).toEqual(['replaced', 'replaced']);
    expect(pids().filter((pid) => before.includes(pid))).toEqual([]);
    world.crew.restart('again');
    await until(() => world.crew.all.length === 3);
    expect(await world.crew.stop()).toBe(true);
    world.crew.restart('too late');
    expect(world.crew.all).toEqual([]);
    expect(count('workers are restarted, one after the other')).toBe(2);
  });
});

describe('a configuration', () => {
  it('is put into force once for orders that come while one is on its way', async () => {
    await start();
    writeFileSync(file, 'other');
    await Promise.all([1, 2, 3, 4].map(() => world.reloads.reload('order')));
    for (const member of world.crew.all) expect(await ask(member)).toEqual({ text: 'other', reloads: 1 });
    // What somebody else wants is not lost to what waits already.
    await Promise.all(['SIGHUP', 'order', 'SIGHUP'].map((trigger) => world.reloads.reload(trigger)));
    for (const member of world.crew.all) expect(await ask(member)).toEqual({ text: 'other', reloads: 3 });
    expect(new Set(world.outcomes)).toEqual(new Set(['reloaded']));
  });

  it('reaches a worker that begins to listen while it is on its way', async () => {
    await start();
    writeFileSync(file, `slow ${gate}`);
    const reload = world.reloads.reload('test');
    world.crew.all[1]?.kill();
    await until(() => world.begun === 3 && isWhole());
    writeFileSync(gate, '');
    await reload;
    await world.reloads.reload('once more');
    expect(await ask(world.crew.all[1] as Member)).toEqual({ text: `slow ${gate}`, reloads: 2 });
    for (const member of world.crew.all) expect((await ask(member)).text).toBe(`slow ${gate}`);
  });

  it('replaces a worker that cannot follow, and is read once one is there when none was', async () => {
    await start();
    writeFileSync(file, `slow ${gate} unfit`);
    const reload = world.reloads.reload('test');
    const [, second] = world.crew.all as [Member, Member];
    second.kill();
    await until(() => world.begun === 3 && isWhole());
    writeFileSync(gate, '');
    await until(() => count('a worker is not up to date, and is replaced') === 1);
    await reload;
    await until(() => world.begun === 4 && isWhole());
    for (const member of world.crew.all) expect((await ask(member)).text).toBe(`slow ${gate} unfit`);
    for (const member of world.crew.all) member.kill();
    await until(() => world.crew.listening.length === 0);
    writeFileSync(file, 'last');
    await world.reloads.reload('test');
    await until(() => world.outcomes.length === 2);
    // One that comes up after the other has it hears of it when it listens.
    await until(async () => isWhole() && (await texts()).join() === 'last,last');
  });
});

describe('lines of workers', () => {
  it('are whole, however long they are and however many write at once', async () => {
    await start('talk');
    const file = join(folder, 'out');
    const written = (): readonly string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []);
    await until(() => written().length > 120);
    const lines = written().filter((line) => line !== '');
    const parsed = lines.map((line) => JSON.parse(line) as { pid: number; line: number });
    for (const pid of pids()) {
      const own = parsed.filter((line) => line.pid === pid).map(({ line }) => line);
      expect(own).toEqual(Array.from({ length: 60 }, (_, line) => line));
    }
  });
});
