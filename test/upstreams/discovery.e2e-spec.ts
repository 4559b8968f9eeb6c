import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiscoveryView } from '../../src/upstreams/discovery/discovery-view.ts';
import { entry, FakeConsul } from '../../src/upstreams/discovery/consul/consul.fixture.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { grpcClient, unary } from '../support/pass-gateway.ts';
import { reload, until } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const open = { authentication: 'public' };
const folder = mkdtempSync(join(tmpdir(), 'discovery-'));
const path = (name: string) => join(folder, name);

let consul: FakeConsul;
let services: TestUpstream[];
let connections: number[];
let gateway: TestGateway;
let ready: number;
let kinds: KindsServer;
let client: ReturnType<typeof grpcClient>;

/** Writes as the documentation says: another file, renamed over the old one. */
function list(name: string, targets: readonly unknown[]): void {
  writeFileSync(path(`${name}.new`), JSON.stringify(targets));
  renameSync(path(`${name}.new`), path(name));
}

function configOf(upstreams: object = {}) {
  const file = (name: string) => ({ discovery: { file: { path: path(name) }, firstAnswer: '800ms' } });
  const forward = (id: string, more: object = {}) => ({
    id,
    match: { path: `/${id}` },
    upstream: id,
    policies: open,
    ...more,
  });
  return {
    version: 1,
    listeners: [{ port: 0, http2: true }],
    upstreams: {
      users: file('users.json'),
      nobody: file('nobody.json'),
      calls: { protocol: 'grpc', ...file('calls.json') },
      catalog: { discovery: { consul: { service: 'catalog', url: consul.url }, emptyGrace: '1s' } },
      ...upstreams,
    },
    routes: [
      forward('users'),
      forward('nobody'),
      forward('sockets', { upstream: 'nobody', webSocket: 'on' }),
      forward('catalog'),
      { id: 'calls', match: { path: '/test.v1.Kinds/*' }, upstream: 'calls', passGrpc: true, policies: open },
    ],
  };
}

async function views(): Promise<Record<string, DiscoveryView>> {
  const all = (await call(`${gateway.adminUrl}/discovery`)).json<DiscoveryView[]>();
  return Object.fromEntries(all.map((view) => [view.upstream, view]));
}
async function untilView(name: string, holds: (view: DiscoveryView) => boolean): Promise<void> {
  for (;;) {
    const view = (await views())[name];
    if (view !== undefined && holds(view)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const portOf = (service: TestUpstream) => Number(new URL(service.url).port);

/** GETs that go on until they are ended. */
function steadyLoad(route: string): { end(): Promise<Record<string, number>> } {
  const outcomes: Record<string, number> = {};
  let goesOn = true;
  const client = async (): Promise<void> => {
    while (goesOn) {
      const outcome = await call(`${gateway.url}${route}`).then(({ status }) => String(status), String);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const clients = Array.from({ length: 4 }, client);
  return {
    end: async () => {
      goesOn = false;
      await Promise.all(clients);
      return outcomes;
    },
  };
}

beforeAll(async () => {
  consul = await new FakeConsul().start();
  kinds = await new KindsServer().start();
  connections = [0, 0, 0];
  services = await Promise.all(connections.map(() => startUpstream()));
  services.forEach(({ server }, index) =>
    server.on('connection', () => (connections[index] = (connections[index] ?? 0) + 1)),
  );
  consul.list = [entry({ Address: '127.0.0.1', Port: portOf(services[0] as TestUpstream) })];
  list('users.json', [services[0]?.url, services[1]?.url]);
  gateway = await startGateway({ config: JSON.stringify(configOf()) });
  client = grpcClient(gateway.url);
  ready = (await call(`${gateway.url}/health/ready`)).status;
});
afterAll(async () => {
  client.close();
  await gateway.stop();
  kinds.stop();
  consul.stop();
  await Promise.all(services.map((service) => service.stop()));
  rmSync(folder, { recursive: true });
});

describe('a gateway that discovers its targets', () => {
  it('listens at once, and is ready once all sources have answered or are overdue', async () => {
    expect(ready).toBe(503);
    let answer = await call(`${gateway.url}/health/ready`);
    while (answer.status !== 200) {
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.json()).toMatchObject({
        code: 'no-available-target',
        detail: expect.stringContaining('nobody'),
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer = await call(`${gateway.url}/health/ready`);
    }
    const lines = await gateway.linesWhere(({ msg }) => msg.includes('nobody waits for it any longer'));
    expect(lines.map((line) => line['upstream']).sort()).toEqual(['calls', 'nobody']);
  });

  describe('while it knows no target', () => {
    it('says so at once to a request', async () => {
      const answer = await call(`${gateway.url}/nobody`);
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(answer.json()).toMatchObject({ code: 'no-available-target' });
    });

    it('says so to a WebSocket', async () => {
      const upgrade = {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      };
      const answer = await call(`${gateway.url}/sockets`, { headers: upgrade });
      expect([answer.status, answer.json()['code']]).toEqual([503, 'no-available-target']);
    });

    it('says so to a call of gRPC', async () => {
      expect((await unary(client)).code).toBe(14);
    });
  });

  it('passes calls of gRPC to what it finds', async () => {
    list('calls.json', [kinds.url]);
    await untilView('calls', ({ targets }) => targets.length === 1);
    expect((await unary(client)).code).toBe(0);
  });

  it('loses no request while targets come and go, and leaves the connections of others alone', async () => {
    const [one, two, three] = services as [TestUpstream, TestUpstream, TestUpstream];
    const load = steadyLoad('/users');
    await until(() => one.requests.length > 5 && two.requests.length > 5);
    list('users.json', [two.url, { url: three.url, weight: 2 }]);
    await until(() => three.requests.length > 5);
    const connected = await new Promise<number>((resolve) =>
      one.server.getConnections((_error, count) => resolve(count)),
    );
    const before = one.requests.length;
    list('users.json', ['http://127.0.0.1:9', 'half']);
    await untilView('users', ({ state }) => state === 'failing');
    writeFileSync(path('users.json'), '["http://127');
    rmSync(path('users.json'));
    await untilView('users', ({ lastError }) => lastError?.message.includes('ENOENT') === true);
    expect((await views())['users']?.targets.map(({ weight }) => weight).sort()).toEqual([1, 2]);
    expect(Object.keys(await load.end())).toEqual(['200']);
    // The one that is gone has nothing more, and those that stayed have what they had.
    expect([one.requests.length, connected]).toEqual([before, 0]);
    expect(connections[1]).toBeLessThanOrEqual(4);
    expect((await views())['users']).toMatchObject({
      state: 'failing',
      accepted: 2,
      source: `file ${path('users.json')}`,
    });
  });

  it('keeps what a registry said when that is ill, comes back lower, or says nothing once', async () => {
    const load = steadyLoad('/catalog');
    consul.instead = (response) => void response.writeHead(500).end('No cluster leader');
    consul.cut();
    await untilView('catalog', ({ errors }) => errors > 1);
    const series = (await call(`${gateway.adminUrl}/metrics`)).text;
    const labels = 'upstream="catalog",source="consul catalog"';
    expect(series).toMatch(new RegExp(`gatehouse_discovery_errors_total\\{${labels}\\} [1-9]`));
    expect(series).toMatch(new RegExp(`gatehouse_discovery_age_seconds\\{${labels}\\} \\d`));
    expect(series).toContain(`gatehouse_discovery_state{${labels}} 3`);
    expect(series).toContain(`gatehouse_discovery_targets{${labels}} 1`);
    expect(series).toContain(`gatehouse_discovery_entries{${labels},outcome="accepted"} 1`);
    consul.instead = undefined;
    consul.index = 2;
    await untilView('catalog', ({ state, version }) => state === 'healthy' && version === 'index 2');
    consul.change([]);
    await untilView('catalog', ({ state }) => state === 'held');
    consul.change([entry({ Address: '127.0.0.1', Port: portOf(services[1] as TestUpstream) })]);
    await untilView('catalog', ({ targets }) => targets[0]?.url === services[1]?.url);
    expect(Object.keys(await load.end())).toEqual(['200']);
  });

  it('goes on with a source through a reload that does not change it, and keeps what it knew through one that does', async () => {
    await until(() => consul.heldBack === 1);
    const before = await views();
    const asked = consul.asked.length;
    expect((await reload(gateway, configOf({ other: { targets: ['http://127.0.0.1:9'] } }))).outcome).toBe(
      'reloaded',
    );
    expect((await views())['catalog']?.errors).toBe(before['catalog']?.errors);
    expect(consul.asked).toHaveLength(asked);
    consul.instead = () => undefined;
    const changed = { discovery: { consul: { service: 'other', url: consul.url } } };
    expect((await reload(gateway, configOf({ catalog: changed }))).outcome).toBe('reloaded');
    await until(() => consul.asked.length > asked);
    expect((await call(`${gateway.url}/catalog`)).status).toBe(200);
    expect((await call(`${gateway.url}/health/ready`)).status).toBe(200);
    expect((await views())['catalog']).toMatchObject({
      source: 'consul other',
      state: 'starting',
      targets: { length: 1 },
    });
    consul.instead = undefined;
  });

  it('asks no more for what no configuration has', async () => {
    expect(
      (
        await reload(gateway, {
          ...configOf(),
          upstreams: { users: { targets: [services[1]?.url] } },
          routes: configOf().routes.slice(0, 1),
        })
      ).outcome,
    ).toBe('reloaded');
    await until(() => consul.heldBack === 0);
    expect(await views()).toEqual({});
    expect((await call(`${gateway.url}/users`)).status).toBe(200);
    const series = async (): Promise<string> => (await call(`${gateway.adminUrl}/metrics`)).text;
    expect(await series()).not.toMatch(/^gatehouse_discovery_\w+\{/m);
    // The last that was counted of an upstream is to be seen until the next reload.
    expect(await series()).toContain('gatehouse_upstream_attempts_total{upstream="catalog"');
    expect(
      (
        await reload(gateway, {
          ...configOf(),
          upstreams: { users: { targets: [services[0]?.url] } },
          routes: configOf().routes.slice(0, 1),
        })
      ).outcome,
    ).toBe('reloaded');
    expect(await series()).not.toContain('upstream="catalog"');
  });
});
