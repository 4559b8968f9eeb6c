import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call, type Answer } from '../support/client.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

// Processes of their own that are restarted.
jest.setTimeout(120_000);

let folder: string;
let file: string;
let redis: RedisServer;
let gateway: ChildGateway;

function config(ids: readonly string[]): string {
  const policies = { authentication: 'public' };
  const routes = ids.map((id) => ({ id, match: { path: `/${id}` }, respond: { status: 204 }, policies }));
  const it = { targets: ['http://127.0.0.1:9', 'http://127.0.0.1:10'], circuitBreaker: {} };
  return JSON.stringify({ version: 1, floodLimit: 'off', upstreams: { it }, routes });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-races-'));
  file = join(folder, 'gateway.yaml');
  writeFileSync(file, config(['one']));
  redis = await startRedis();
  await ensureBuilt();
  gateway = await startChild(file, { WORKERS: '3', REDIS_URL: redis.url, GATEHOUSE_WATCH: 'off' });
}, 90_000);
afterAll(async () => {
  await gateway?.end();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const admin = (path: string): Promise<Answer> => call(gateway.adminUrl + path);
const order = (path: string, body?: object, method = 'POST'): Promise<Answer> =>
  call(gateway.adminUrl + path, {
    method,
    headers: { 'x-gatehouse-admin': 'spec', ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

async function overrides(): Promise<readonly string[]> {
  const pages = (await admin('/overrides?worker=all')).json<Record<string, { rows: object[] }>>();
  // Which of them was there first is no matter.
  const shown = ({ rows }: { rows: readonly object[] }): string =>
    JSON.stringify(rows.map((one) => JSON.stringify({ ...one, since: '', until: '' })).toSorted());
  return Object.values(pages).map(shown);
}

const history = async () =>
  (await admin('/config/history')).json<{ rows: { generation: number; outcome: string }[] }>().rows;

it('orders that contradict one another leave all workers with the same, whichever they were asked of', async () => {
  const path = '/upstreams/it/targets/127.0.0.1:9';
  for (let round = 0; round < 10; round += 1) {
    const all = [1, 2, 3, 1, 2, 3].map((worker, i) =>
      i % 2 === 0
        ? order(`${path}/weight?worker=${worker}`, { weight: 10 + i, reason: `${round}` }, 'PUT')
        : order(`${path}/weight?worker=${worker}`, undefined, 'DELETE'),
    );
    const ends = await Promise.all([...all, order(`${path}/weight?worker=2`, { weight: 5 }, 'PUT')]);
    expect(ends.map(({ status }) => status)).toEqual(Array(7).fill(200));
    expect(new Set(await overrides()).size).toBe(1);
  }
});

it('orders while workers are restarted and the configuration is reloaded reach all that serve in the end', async () => {
  expect((await order('/workers/restart')).json()).not.toHaveProperty('note');
  expect((await order('/workers/restart')).json()).toMatchObject({
    note: expect.stringContaining('under way'),
  });
  const path = '/upstreams/it/targets/127.0.0.1:10';
  const isRestarting = async () => (await admin('/workers')).json<{ restarting: boolean }>().restarting;
  let round = 0;
  while (await isRestarting()) {
    round += 1;
    writeFileSync(file, config(['one', `round${round}`]));
    const generation = (await history()).find(({ outcome }) => outcome === 'replaced')?.generation ?? 1;
    const ends = await Promise.all([
      order('/config/reload', {}),
      order(`${path}/weight`, { weight: round % 100 || 1 }, 'PUT'),
      order('/config/rollback', { generation }),
    ]);
    // A worker that leaves may have had the order, and taken its answer with it: that is told, and not called done.
    // In the first round what is to be taken back may be in force still.
    for (const { status } of ends) expect([200, 502, ...(round === 1 ? [409] : [])]).toContain(status);
    await sleep(50);
  }
  expect((await order(`${path}/weight`, { weight: 77 }, 'PUT')).status).toBe(200);
  const all = await overrides();
  expect(all).toEqual(Array(3).fill(all[0]));
  expect(all[0]).toContain('"weight\\":77');
  const { rows } = (await admin('/config/history')).json<{
    rows: { generation: number; outcome: string }[];
  }>();
  const numbers = rows.map(({ generation }) => generation);
  expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
  expect(rows.filter(({ outcome }) => outcome === 'in-force')).toHaveLength(1);
});
