import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminListener } from '../../src/admin/admin.listener.ts';
import { isForAll } from '../../src/admin/relayed-requests.ts';
import { call, type Answer } from '../support/client.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { reload, until } from '../support/reload.ts';

let folder: string;
let file: string;
let gateway: TestGateway;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-races-'));
  file = join(folder, 'gateway.yaml');
});
afterEach(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

const IT = { targets: ['http://127.0.0.1:9', 'http://127.0.0.1:10'], circuitBreaker: { window: 20 } };

function config(ids: readonly string[], more: object = {}): object {
  const policies = { authentication: 'public' };
  const routes = ids.map((id) => ({ id, match: { path: `/${id}` }, respond: { status: 204 }, policies }));
  return { version: 1, floodLimit: 'off', routes, ...more };
}

async function started(first: object, environment: Record<string, string> = {}): Promise<void> {
  writeFileSync(file, JSON.stringify(first));
  gateway = await startGateway({ config: JSON.stringify(first), file, environment });
}

function order(path: string, body: object | undefined, method = 'POST'): Promise<Answer> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return call(gateway.adminUrl + path, {
    method,
    headers: { 'x-gatehouse-admin': 'spec', ...type },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const takeBack = (generation: number): Promise<Answer> => order('/config/rollback', { generation });
const admin = (path: string): Promise<Answer> => call(gateway.adminUrl + path);

interface Row {
  readonly generation: number;
  readonly cause: string;
  readonly of?: number;
  readonly outcome: string;
}

async function history(): Promise<readonly Row[]> {
  return (await admin('/config/history')).json<{ rows: Row[] }>().rows;
}

describe('orders about configurations', () => {
  it('that come at once are carried out one after the other, and each hears of its own end', async () => {
    await started(config(['one']));
    await reload(gateway, config(['two']));
    await reload(gateway, config(['three']));
    const ends = await Promise.all([1, 2, 1].map(takeBack));
    expect(ends.map(({ status }) => status)).toEqual([200, 200, 200]);
    const said = ends.map((end) => end.json<Row>().generation);
    expect(said.toSorted()).toEqual([4, 5, 6]);
    const rows = await history();
    expect(rows.map(({ generation, of }) => [generation, of])).toEqual(
      [6, 5, 4, 3, 2, 1].map((one) => [one, said.includes(one) ? [1, 2, 1][said.indexOf(one)] : undefined]),
    );
    expect(rows.map(({ outcome }) => outcome)).toEqual(['in-force', ...Array<string>(5).fill('replaced')]);
  });

  it('to take back what a reload under way is about to replace are carried out after it', async () => {
    await started(config(['one']));
    writeFileSync(file, JSON.stringify(config(['two'])));
    const reloading = order('/config/reload', {});
    const ends = await Promise.all([reloading, gateway.gateway.reload('SIGHUP'), takeBack(1)]);
    expect([ends[0].status, ends[1].outcome, ends[2].status]).toEqual([200, 'reloaded', 200]);
    expect((await call(`${gateway.url}/one`)).status).toBe(204);
    expect((await history()).map(({ cause }) => cause).toSorted()).toEqual([
      'order',
      'rollback',
      'signal',
      'start',
    ]);
  });

  it('to read the file are not lost to a change that waits as well', async () => {
    await started(config(['one']));
    await reload(gateway, config(['two']));
    expect((await takeBack(1)).status).toBe(200);
    // The watch finds the file touched, which says what it said before: that is left. An order is not.
    const all = await Promise.all([
      gateway.gateway.reload('SIGUSR1'),
      gateway.gateway.reload('file'),
      order('/config/reload', {}),
    ]);
    expect(all[2].json()).toMatchObject({ outcome: 'reloaded' });
    const { text } = await admin('/config');
    expect(JSON.parse(text)).not.toHaveProperty('differsFromFile');
  });

  it('are refused while the gateway ends, and not said to be done', async () => {
    await started(config(['one']), { DRAIN_DELAY: '300ms' });
    await reload(gateway, config(['two']));
    const ending = gateway.gateway.close();
    writeFileSync(file, JSON.stringify(config(['three'])));
    const ends = await Promise.all([takeBack(1), order('/config/reload', {})]);
    expect(ends.map(({ status }) => status)).toEqual([503, 503]);
    expect(ends[0].text).toContain('shutting down');
    expect(await history()).toHaveLength(2);
    await ending;
  });
});

describe('orders about targets', () => {
  const path = '/upstreams/it/targets/127.0.0.1:9';

  it('hold for one that a reload takes away, are listed, and can be undone', async () => {
    const { targets } = IT;
    await started(config(['one'], { upstreams: { it: IT } }));
    const [taken] = await Promise.all([
      order(`${path}/ejection`, { reason: 'disk' }, 'PUT'),
      order('/config/reload', {}),
    ]);
    expect(taken.status).toBe(200);
    expect((await order(`${path}/breaker`, { state: 'open' }, 'PUT')).status).toBe(200);
    await reload(gateway, config(['one'], { upstreams: { it: { ...IT, targets: targets.slice(1) } } }));
    const { rows } = (await admin('/overrides')).json<{ rows: { kind: string; isThere: boolean }[] }>();
    expect(rows.map(({ kind, isThere }) => [kind, isThere])).toEqual([
      ['ejection', false],
      ['breaker', false],
    ]);
    expect((await order(`${path}/ejection`, {}, 'PUT')).status).toBe(404);
    const closed = await order(`${path}/breaker`, { state: 'closed' }, 'PUT');
    expect([closed.status, closed.json()]).toEqual([200, { target: '127.0.0.1:9', isThere: false }]);
    expect((await order(`${path}/breaker`, { state: 'closed' }, 'PUT')).status).toBe(404);
    await reload(gateway, config(['one'], { upstreams: { it: IT } }));
    const [upstream] = (await admin('/upstreams')).json<{ targets: object[] }[]>();
    expect(upstream?.targets[0]).toMatchObject({
      available: false,
      ejection: { reason: 'disk' },
      breaker: { state: 'closed' },
    });
  });
});

describe('orders that another worker has let pass', () => {
  /** As the process gives it that has taken it. */
  const told = async (method: string, path: string, body?: object): Promise<[number, object]> => {
    const answer = await gateway.gateway.app.get(AdminListener).answer({
      method,
      url: path,
      headers: {
        'x-gatehouse-admin': 'spec',
        ...(body && { 'content-type': 'application/json' }),
      },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      address: '127.0.0.1',
      localAddress: '127.0.0.1',
      isTls: false,
      verdict: { caller: { name: 'it', role: 'operate', by: 'token' } },
      isEcho: true,
    });
    return [answer.status, JSON.parse(answer.body.toString()) as object];
  };

  it('hold for targets and upstreams that a reload has not brought here yet, or has taken away here', async () => {
    await started(config(['one']));
    const path = '/upstreams/it/targets/127.0.0.1:9';
    const done = [200, { target: '127.0.0.1:9', isThere: false }];
    expect(await told('PUT', `${path}/ejection`, { for: '5m' })).toEqual(done);
    expect(await told('PUT', `${path}/weight`, { weight: 7 })).toEqual(done);
    expect(await told('PUT', `${path}/breaker`, { state: 'open' })).toEqual(done);
    expect(await told('DELETE', `${path}/weight`)).toEqual(done);
    expect(await told('DELETE', `${path}/weight`)).toEqual(done);
    await reload(gateway, config(['one'], { upstreams: { it: IT } }));
    const [upstream] = (await admin('/upstreams')).json<{ targets: object[] }[]>();
    expect(upstream?.targets[0]).toMatchObject({
      weight: 1,
      ejection: { by: 'it from 127.0.0.1' },
      breaker: { state: 'open', cause: 'manual' },
    });
  });

  it('are told before they are looked at by what they are asked of', async () => {
    await started(config(['one']));
    const all = gateway.gateway.app.get(AdminListener).operations;
    const reaching = all.filter(({ config: { reach } }) => reach === 'all');
    expect(reaching.length).toBeGreaterThan(5);
    for (const { method, path: url, config: of } of all)
      expect([url, isForAll({ method, url })]).toEqual([url, of.reach === 'all']);
  });
});

describe('orders that ask Redis', () => {
  let redis: RedisServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    redis = await startRedis();
    proxy = await new FaultProxy(Number(new URL(redis.url).port)).start();
  });
  afterAll(async () => {
    await proxy.stop();
    await redis.stop();
  });

  const canary = { to: { track: 'canary' }, weight: '5%', steps: ['50%'] };
  const targets = ['http://127.0.0.1:9', { url: 'http://127.0.0.1:10', labels: { track: 'canary' } }];

  it('are answered although a reload takes the route away meanwhile', async () => {
    const route = {
      id: 'it',
      match: { path: '/it' },
      upstream: 'it',
      policies: { authentication: 'public' },
      canary,
    };
    const quota = { name: 'calls', key: 'global', limit: 5, window: 'day' };
    const counted = {
      ...route,
      id: 'counted',
      match: { path: '/counted' },
      policies: { ...route.policies, quota },
    };
    const full = { version: 1, floodLimit: 'off', upstreams: { it: { targets } }, routes: [route, counted] };
    await started(full, { REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    await until(() => gateway.lines.length > 0);
    expect((await admin('/canaries')).json<object[]>()).toHaveLength(2);
    proxy.delayMs = 150;
    const promoted = order('/canaries/it/promote', undefined);
    const reset = order('/quotas/reset', { subject: 'all' });
    const purged = order('/cache/purge', { prefix: '127.0.0.1/it' });
    // They have asked Redis, and wait.
    await new Promise((resolve) => setTimeout(resolve, 75));
    expect((await reload(gateway, { ...full, routes: [] })).outcome).toBe('reloaded');
    const end = await promoted;
    expect([end.status, end.json()]).toEqual([
      200,
      expect.objectContaining({ route: 'it', status: 'promoted', isThere: false }),
    ]);
    expect([(await reset).status, (await purged).status]).toEqual([200, 200]);
    proxy.delayMs = 0;
    expect((await order('/canaries/it/promote', undefined)).status).toBe(404);
    // The rollout is what was ordered when the route comes back.
    expect((await reload(gateway, full)).outcome).toBe('reloaded');
    const [back] = (await admin('/canaries')).json<{ status: string }[]>();
    expect(back?.status).toBe('promoted');
  });
});
