import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A process of its own, and looks a second apart.
jest.setTimeout(60_000);

let folder: string;
let upstream: TestUpstream;
let gateway: ChildGateway | undefined;

beforeAll(async () => {
  upstream = await startUpstream();
  await ensureBuilt();
}, 60_000);
afterAll(() => upstream.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-reload-'));
});
afterEach(async () => {
  await gateway?.end();
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);

function config(ids: readonly string[], policies: object = { authentication: 'public' }): string {
  const routes = ids.map((id) => ({ id, match: { path: `/${id}` }, upstream: 'it', policies }));
  return JSON.stringify({ version: 1, upstreams: { it: { targets: [upstream.url] } }, routes });
}

async function start(env: Record<string, string> = {}): Promise<ChildGateway> {
  return (gateway = await startChild(path('gateway.yaml'), env));
}

const statusOf = async (route: string): Promise<number> => (await call(`${gateway?.url}/${route}`)).status;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

const said = (text: string): boolean => gateway?.lines().some(({ msg }) => msg.includes(text)) === true;

describe('a change of the file', () => {
  it('is taken over: written in place, renamed to, and not when it says the same', async () => {
    writeFileSync(path('gateway.yaml'), config(['one']));
    await start();
    writeFileSync(path('gateway.yaml'), config(['one', 'two']));
    await until(async () => (await statusOf('two')) === 200);
    writeFileSync(path('new'), config(['three']));
    renameSync(path('new'), path('gateway.yaml'));
    await until(async () => (await statusOf('three')) === 200);
    expect(await statusOf('one')).toBe(404);
    writeFileSync(path('gateway.yaml'), `${config(['three'])}\n# the same`);
    await until(() => said('says what it said before'));
  });

  it('is taken over when Kubernetes swaps its link, and a faulty one is told and left', async () => {
    for (const [version, text] of [
      ['1', config(['one'])],
      ['2', 'version: 1\nroutes: [{ id: a, match: { path: /a } }]\nunknown: 1'],
      ['3', config(['three'])],
    ] as const) {
      mkdirSync(path(`..${version}`));
      writeFileSync(path(`..${version}/gateway.yaml`), text);
    }
    const swap = (version: string): void => {
      symlinkSync(`..${version}`, path('..data_tmp'));
      renameSync(path('..data_tmp'), path('..data'));
    };
    swap('1');
    symlinkSync('..data/gateway.yaml', path('gateway.yaml'));
    await start();
    swap('2');
    await until(() => said('is faulty'));
    expect(await statusOf('one')).toBe(200);
    const told = gateway?.lines().find(({ msg }) => msg.includes('is faulty'));
    const faults = told?.['faults'] as { line: number }[];
    expect(faults.map(({ line }) => line)).toEqual(expect.arrayContaining([2, 3]));
    swap('3');
    await until(async () => (await statusOf('three')) === 200);
  });
});

describe('SIGHUP', () => {
  it('has the file read when nobody watches it', async () => {
    writeFileSync(path('gateway.yaml'), config(['one']));
    await start({ GATEHOUSE_WATCH: 'off' });
    writeFileSync(path('gateway.yaml'), config(['two']));
    await sleep(1500);
    expect(await statusOf('two')).toBe(404);
    gateway?.process.kill('SIGHUP');
    await until(async () => (await statusOf('two')) === 200);
    await until(() => said('another configuration is in force'));
  });

  it('and the watch tell of one change once, whether it is taken over, faulty, or gone', async () => {
    const told = (): unknown[] =>
      gateway?.lines().flatMap(({ msg, trigger }) => (msg.includes('configuration') ? [trigger] : [])) ?? [];
    writeFileSync(path('gateway.yaml'), config(['one']));
    await start();
    const changes = [
      () => writeFileSync(path('gateway.yaml'), config(['one', 'two'])),
      () => writeFileSync(path('gateway.yaml'), 'version: 1\nunknown: 1'),
      () => rmSync(path('gateway.yaml')),
    ];
    for (const [index, change] of changes.entries()) {
      change();
      gateway?.process.kill('SIGHUP');
      await until(() => told().length === index + 1);
      // The watch looks once a second, and waits 200 ms.
      await sleep(2000);
      expect(told()).toHaveLength(index + 1);
    }
    writeFileSync(path('gateway.yaml'), config(['three']));
    await until(async () => (await statusOf('three')) === 200);
    await until(() => told().length === 4);
    expect(told()).toEqual(['SIGHUP', 'SIGHUP', 'SIGHUP', 'file']);
  });
});
