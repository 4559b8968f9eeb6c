import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, runBin, startChild, type ChildGateway } from '../support/child.ts';
import { call, type Answer } from '../support/client.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Processes of their own, and looks a second apart.
jest.setTimeout(90_000);

let folder: string;
let file: string;
let redis: RedisServer;
let upstreams: TestUpstream[];
let gateway: ChildGateway;

beforeAll(async () => {
  upstreams = [await startUpstream(), await startUpstream()];
  redis = await startRedis();
  await ensureBuilt();
}, 60_000);
afterAll(async () => {
  await Promise.all(upstreams.map((one) => one.stop()));
  await redis.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-rollback-'));
  file = join(folder, 'gateway.yaml');
});
afterEach(async () => {
  await gateway.end();
  rmSync(folder, { recursive: true });
});

function config(ids: readonly string[]): string {
  const policies = { authentication: 'public' };
  const routes = ids.map((id) => ({ id, match: { path: `/${id}` }, upstream: 'it', policies }));
  const it = { targets: upstreams.map(({ url }) => url) };
  return JSON.stringify({ version: 1, floodLimit: 'off', upstreams: { it }, routes }, null, 1);
}

const statusOf = async (route: string): Promise<number> => (await call(`${gateway.url}/${route}`)).status;
const admin = (path: string): Promise<Answer> => call(gateway.adminUrl + path);
const order = (path: string, body: object, headers = {}, method = 'POST'): Promise<Answer> =>
  call(gateway.adminUrl + path, {
    method,
    headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec', ...headers },
    body: JSON.stringify(body),
  });
const bin = (...args: readonly string[]) => runBin([...args, '--admin', gateway.adminUrl]);

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

interface Row {
  readonly generation: number;
  readonly outcome: string;
  readonly cause: string;
  readonly faults?: readonly { readonly line?: number }[];
}

async function history(): Promise<string[]> {
  const { rows } = (await admin('/config/history')).json<{ rows: Row[] }>();
  return rows.map(({ generation, cause, outcome }) => `${generation} ${cause} ${outcome}`);
}

const differs = async (): Promise<unknown> =>
  (await admin('/config')).json<{ differsFromFile?: { why: string } }>().differsFromFile?.why;

async function takeOver(text: string, route: string): Promise<void> {
  writeFileSync(file, text);
  await until(async () => (await statusOf(route)) === 200);
}

it('a bad configuration that is valid is taken back, and stays so until the file changes', async () => {
  writeFileSync(file, config(['one', 'two']));
  gateway = await startChild(file);
  await takeOver(config(['one', 'bad']), 'bad');
  expect(await statusOf('two')).toBe(404);
  const diff = (await admin('/config/diff?from=1&to=2')).json<{ changes: object[]; text: string }>();
  expect(diff.changes).toEqual([
    expect.objectContaining({ kind: 'removed', what: 'route', id: 'two' }),
    expect.objectContaining({ kind: 'added', what: 'route', id: 'bad' }),
  ]);
  expect(diff.text).toContain('+   "id": "bad"');

  const stale = await order('/config/rollback', { generation: 1 }, { 'if-match': '"1"' });
  expect([stale.status, stale.json()]).toEqual([412, { error: 'configuration 2 is in force, not 1' }]);
  const done = await order('/config/rollback', { generation: 1 }, { 'if-match': '"2"' });
  expect(done.json()).toMatchObject({ generation: 3, outcome: 'reloaded', differsFromFile: 'rollback' });
  expect([await statusOf('two'), await statusOf('bad')]).toEqual([200, 404]);
  expect((await admin('/metrics')).text).toMatch(/gatehouse_config_differs_from_file\S* 1\n/);
  expect((await call(`${gateway.url}/health/ready`)).status).toBe(200);
  await until(() => gateway.lines().some(({ msg }) => msg.includes('an earlier configuration is in force')));

  // Somebody touches the file, which still says the same.
  utimesSync(file, new Date(), new Date());
  await until(() => gateway.lines().some(({ msg }) => msg.includes('what it said before')));
  expect([await statusOf('two'), await differs()]).toEqual([200, 'rollback']);

  await takeOver(config(['two', 'three']), 'three');
  expect(await differs()).toBeUndefined();
  expect(await history()).toEqual([
    '4 file in-force',
    '3 rollback replaced',
    '2 file replaced',
    '1 start replaced',
  ]);
  expect((await order('/config/rollback', { generation: 9 })).status).toBe(404);
  const { rows } = (await admin('/changes')).json<{ rows: { kind: string; text: string }[] }>();
  expect(rows.map(({ kind }) => kind)).toEqual(['reload', 'reload', 'reload', 'reload', 'start']);
  expect(rows[2]?.text).toContain('configuration 1 again in force');
});

it('what is refused is kept with its faults, looked at before, and ordered', async () => {
  writeFileSync(file, config(['one']));
  gateway = await startChild(file, { GATEHOUSE_WATCH: 'off' });
  writeFileSync(file, config(['one']).replace('"upstream": "it"', '"upstream": "none"'));
  const looked = (await order('/config/reload', { dryRun: true })).json<{
    outcome: string;
    generation: number;
  }>();
  expect(looked).toMatchObject({ dryRun: true, outcome: 'faulty', generation: 1 });
  expect(await history()).toHaveLength(1);
  for (let i = 0; i < 2; i += 1) expect((await order('/config/reload', {})).status).toBe(409);
  expect(await history()).toEqual(['2 order refused', '1 start in-force']);
  const shown = (await admin('/config/history/2')).json<Row & { text: string; times: number }>();
  expect([shown.times, shown.text]).toEqual([2, readFileSync(file, 'utf8')]);
  expect(shown.faults?.[0]?.line).toBeGreaterThan(1);
  expect(await differs()).toBe('refused');
  expect((await order('/config/rollback', { generation: 2 })).status).toBe(409);

  writeFileSync(file, config(['one', 'two']));
  const { code, stdout } = await bin('config', 'reload');
  expect([code, stdout]).toEqual([0, 'reloaded; configuration 3 is in force\n']);
  expect((await bin('config', 'rollback', '1')).stdout).toContain(
    'configuration 4 is in force; the file says another one',
  );
  expect((await bin('config', 'history')).stdout).toMatch(/4 +\S+ +rollback +.* in-force/);
  expect((await bin('config', 'diff', '1', '3')).stdout).toContain('+ route     two  * /two');
});

it('two workers take it back together, and orders about targets hold for one that comes later', async () => {
  writeFileSync(file, config(['one', 'two']));
  gateway = await startChild(file, { WORKERS: '2', REDIS_URL: redis.url });
  await takeOver(config(['one', 'bad']), 'bad');
  await until(async () => (await history()).length === 2);
  expect((await order('/config/rollback', { generation: 1 })).json()).toMatchObject({ generation: 3 });
  for (let i = 0; i < 4; i += 1) expect([await statusOf('two'), await statusOf('bad')]).toEqual([200, 404]);
  expect(await history()).toEqual(['3 rollback in-force', '2 file replaced', '1 start replaced']);
  expect((await admin('/metrics')).text.match(/gatehouse_config_differs_from_file\S* 1\n/g)).toHaveLength(2);

  const [first, second] = upstreams.map(({ url }) => new URL(url).host) as [string, string];
  const eject = (target: string, body = {}) =>
    order(`/upstreams/it/targets/${target}/ejection`, { for: '5m', ...body }, {}, 'PUT');
  expect((await eject(first, { reason: 'disk' })).json()).toMatchObject({
    available: false,
    ejection: { reason: 'disk' },
  });
  const last = await eject(second);
  expect([last.status, last.text]).toEqual([409, expect.stringContaining('no target of it could be called')]);
  const isOut = async (): Promise<boolean[]> => {
    const pages = (await admin('/overrides?worker=all')).json<Record<string, { total: number }>>();
    return Object.values(pages).map(({ total }) => total === 1);
  };
  expect(await isOut()).toEqual([true, true]);

  const workers = async () =>
    (await admin('/workers')).json<{ workers: { pid: number; state: string }[] }>().workers;
  const pid = (await workers())[1]?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(async () => {
    const now = await workers();
    return now.length === 2 && now.every((one) => one.state === 'serving' && one.pid !== pid);
  });
  await until(async () => (await isOut()).every(Boolean));
  for (let i = 0; i < 4; i += 1) expect([await statusOf('two'), await statusOf('bad')]).toEqual([200, 404]);
  expect((await admin('/metrics')).text.match(/gatehouse_config_differs_from_file\S* 1\n/g)).toHaveLength(2);
  const { rows } = (await admin('/changes?kind=worker')).json<{ rows: { text: string }[] }>();
  expect(rows.map(({ text }) => text)).toContain('worker 2 has ended: crashed');
  expect((await bin('restore', 'it', first)).code).toBe(0);
  expect((await bin('upstreams')).stdout).toMatch(new RegExp(`it +${first} +yes`));
});
