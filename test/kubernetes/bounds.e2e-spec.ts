import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster, type ClusterObject } from '../support/cluster.ts';

const routeOf = (name: string, { namespace = 'default', rules = 1, service = 'a' } = {}): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace },
  spec: {
    parentRefs: [{ name: 'edge', namespace: 'default' }],
    hostnames: [`${name}.test`],
    rules: Array.from({ length: rules }, (_, index) => ({
      matches: [{ path: { type: 'PathPrefix', value: index === 0 ? '/' : `/${index}` } }],
      backendRefs: [{ name: service, port: 80 }],
    })),
  },
});

const ingressOf = (name: string): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    ingressClassName: 'gatehouse',
    rules: [
      {
        host: `${name}.test`,
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 80 } } } },
          ],
        },
      },
    ],
  },
});

const isServed = ({ status }: { readonly status: number }): boolean => status === 200;
const acceptedOf = ({ status }: ClusterObject): unknown =>
  (status?.['parents'] as { conditions: unknown[] }[] | undefined)?.[0]?.conditions[0];

describe('bounds of a cluster', () => {
  let service: Server;
  let cluster: TestCluster;
  let world: ClusterGateway | undefined;

  beforeEach(async () => {
    world = undefined;
    service = createServer((_request, response) => response.end('a'));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    cluster = await new TestCluster().start();
    cluster.apply(GATEWAY, ...serviceAt('a', (service.address() as AddressInfo).port));
  });

  afterEach(async () => {
    await (world ?? cluster).stop();
    service.closeAllConnections();
    service.close();
  });

  const start = async (options: object): Promise<ClusterGateway> =>
    (world = await ClusterGateway.start(cluster, options));
  const statusOf = async (name: string): Promise<number | undefined> =>
    (await world?.ask('/', { host: `${name}.test` }))?.status;
  const reloads = async (outcome: string): Promise<number> => {
    const text = await (await fetch(`${world?.gateway.adminUrl}/metrics`)).text();
    return Number(new RegExp(`config_reloads_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  };

  it('maxRoutes: refuses the younger, says so in their status, and takes them once there is room', async () => {
    cluster.apply(
      routeOf('one'),
      routeOf('two', { rules: 2 }),
      routeOf('three', { service: 'b' }),
      ...serviceAt('b', 9),
    );
    const { until } = await start({ maxRoutes: 3 }).then((one) => ({ until: one.until.bind(one) }));
    await until(isServed, '/', { host: 'two.test' });
    const three = await cluster.until('HTTPRoute', 'three', (one) => acceptedOf(one) !== undefined);
    expect(acceptedOf(three)).toMatchObject({
      status: 'False',
      reason: 'UnsupportedValue',
      message: 'there are more than 3 routes (kubernetes.maxRoutes)',
    });
    expect([await statusOf('one'), await statusOf('two'), await statusOf('three')]).toEqual([200, 200, 404]);
    // Nobody is looked for whom no route leads to.
    expect(cluster.asked.filter((one) => one.includes('service-name%3Db'))).toEqual([]);
    const gateway = await cluster.until('Gateway', 'edge', ({ status }) => status !== undefined);
    expect(gateway.status).toMatchObject({ listeners: [{ attachedRoutes: 2 }] });
    // One that is smaller than what is left is served, younger or not.
    cluster.delete('HTTPRoute', 'two');
    await until(({ status }) => status !== 404, '/', { host: 'three.test' });
    await cluster.until(
      'HTTPRoute',
      'three',
      (one) => (acceptedOf(one) as { status?: string }).status === 'True',
    );
  });

  it('maxRoutes: leaves out Ingresses after all others, whole, with a line of the log', async () => {
    cluster.apply(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'gatehouse' },
        spec: { controller: 'gatehouse.dev/gateway' },
      },
      ingressOf('old'),
      ingressOf('older'),
      routeOf('one'),
    );
    const { until, gateway } = await start({ maxRoutes: 2, ingress: true }).then((one) => ({
      until: one.until.bind(one),
      gateway: one.gateway,
    }));
    await until(isServed, '/', { host: 'old.test' });
    expect([await statusOf('one'), await statusOf('older')]).toEqual([200, 404]);
    const [line] = await gateway.linesWhere(({ remark }) => String(remark).includes('maxRoutes'));
    expect(line?.['remark']).toBe(
      'Ingress default/older: there are more than 2 routes (kubernetes.maxRoutes)',
    );
    const answer = await fetch(`${gateway.adminUrl}/kubernetes/objects?kind=Ingress&state=refused`);
    expect(await answer.json()).toMatchObject({ total: 1, rows: [{ name: 'older' }] });
  });

  it('namespaces: asks for those alone, and serves what is in them', async () => {
    for (const namespace of ['shop', 'other'])
      cluster.apply(
        ...serviceAt('a', (service.address() as AddressInfo).port, namespace),
        routeOf(`of-${namespace}`, { namespace }),
      );
    const one = await start({ namespaces: ['default', 'shop'] });
    await one.until(isServed, '/', { host: 'of-shop.test' });
    expect(await statusOf('of-other')).toBe(404);
    cluster.apply(
      routeOf('more-of-other', { namespace: 'other' }),
      routeOf('more-of-shop', { namespace: 'shop' }),
    );
    await one.until(isServed, '/', { host: 'more-of-shop.test' });
    expect(await statusOf('more-of-other')).toBe(404);
    const asked = cluster.asked.filter((url) => /\/(?:httproutes|secrets|services|configmaps)\b/.test(url));
    expect(asked.filter((url) => !/\/namespaces\/(?:default|shop)\//.test(url))).toEqual([]);
    const answer = await fetch(`${one.gateway.adminUrl}/kubernetes`);
    const { watches } = (await answer.json()) as { watches: { kind: string; namespace?: string }[] };
    const of = (kind: string): unknown[] =>
      watches.filter((watch) => watch.kind === kind).map(({ namespace }) => namespace);
    expect([of('HTTPRoute'), of('GatewayClass')]).toEqual([['default', 'shop'], [undefined]]);
  });

  it('settle: puts changes that come together into force together', async () => {
    const one = await start({ settle: '400ms' });
    cluster.apply(routeOf('first'));
    await one.until(isServed, '/', { host: 'first.test' });
    const before = await reloads('reloaded');
    for (let index = 0; index < 20; index += 1) {
      cluster.apply(routeOf(`one-of-${index}`));
      await one.ask('/');
    }
    await one.until(isServed, '/', { host: 'one-of-19.test' });
    // The first change decides how long the others are waited for: on a slow machine there is more than one turn.
    expect((await reloads('reloaded')) - before).toBeLessThan(10);
  });
});
