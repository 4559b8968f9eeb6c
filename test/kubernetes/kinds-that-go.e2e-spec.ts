import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';

const routeOf = (name: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: {
    parentRefs: [{ name: 'edge' }],
    hostnames: [`${name}.test`],
    rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
  },
});

const DENY = {
  apiVersion: 'gatehouse.dev/v1',
  kind: 'GatehousePolicy',
  metadata: { name: 'deny' },
  spec: {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'guarded' }],
    policies: { ipAccess: { deny: ['127.0.0.0/8'] } },
  },
};

const isServed = ({ status }: { readonly status: number }): boolean => status === 200;
const isGone = ({ status }: { readonly status: number }): boolean => status === 404;

describe('a kind that the cluster answers 404 for', () => {
  let service: Server;
  let world: ClusterGateway;
  let cluster: TestCluster;

  beforeAll(async () => {
    service = createServer((_request, response) => response.end('a'));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    cluster = await new TestCluster().start();
    cluster.apply(GATEWAY, ...serviceAt('a', (service.address() as AddressInfo).port));
    cluster.apply(routeOf('open'), routeOf('guarded'), DENY);
    world = await ClusterGateway.start(cluster, { absentAfter: '600ms' });
    await world.until(isServed, '/', { host: 'open.test' });
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  const statuses = async (): Promise<readonly number[]> =>
    Promise.all(
      ['open', 'guarded'].map(async (name) => (await world.ask('/', { host: `${name}.test` })).status),
    );
  const metric = async (pattern: RegExp): Promise<string | undefined> =>
    pattern.exec(await (await fetch(`${world.gateway.adminUrl}/metrics`)).text())?.[1];
  const failures = async (kind: string): Promise<number> =>
    Number(
      (await metric(new RegExp(`gatehouse_kubernetes_watch_failures_total\\{kind="${kind}"\\} (\\d+)`))) ?? 0,
    );
  /** Has lists and watches of a kind answered with 404 until that was noticed several times. */
  const missing = async (plural: string, kind: string): Promise<void> => {
    cluster.instead = (path) => (path.endsWith(`/${plural}`) ? 404 : undefined);
    cluster.cut();
    const before = await failures(kind);
    while ((await failures(kind)) < before + 6) expect(await statuses()).toEqual([200, 403]);
  };

  it('for a moment goes on being served, and guarded', async () => {
    expect(await statuses()).toEqual([200, 403]);
    await missing('httproutes', 'HTTPRoute');
    await missing('gatehousepolicies', 'GatehousePolicy');
    expect(await metric(/gatehouse_kubernetes_watch_up\{kind="GatehousePolicy",namespace=""\} (\d)/)).toBe(
      '0',
    );
    cluster.instead = undefined;
    cluster.apply(routeOf('later'));
    await world.until(isServed, '/', { host: 'later.test' });
    expect(await statuses()).toEqual([200, 403]);
    expect(await metric(/gatehouse_kubernetes_kinds_lost_total\{kind="HTTPRoute"\} (\d+)/)).toBeUndefined();
  });

  it('and that discovery has lost for good is given up, and that is said', async () => {
    cluster.absent.add('httproutes');
    cluster.cut();
    await world.until(isGone, '/', { host: 'open.test' });
    const [line] = await world.gateway.linesWhere(({ msg }) => /has a kind no more/.test(String(msg)));
    expect(line).toMatchObject({ what: expect.stringMatching(/^httproutes/), objects: 3 });
    expect(await metric(/gatehouse_kubernetes_kinds_lost_total\{kind="HTTPRoute"\} (\d+)/)).toBe('1');
    await cluster.until('Gateway', 'edge', ({ status }) =>
      JSON.stringify(status ?? 0).includes('"attachedRoutes":0'),
    );
    const answer = await fetch(`${world.gateway.adminUrl}/kubernetes`);
    const { watches } = (await answer.json()) as { watches: { kind: string }[] };
    expect(watches.find(({ kind }) => kind === 'HTTPRoute')).toMatchObject({ state: 'absent', objects: 0 });
  });
});
