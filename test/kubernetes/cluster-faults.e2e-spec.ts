import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';

const routeOf = (name: string, rule: object = {}): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: {
    parentRefs: [{ name: 'edge' }],
    hostnames: [`${name}.test`],
    rules: [{ backendRefs: [{ name: 'a', port: 80 }], ...rule }],
  },
});

const isServed = ({ status }: { readonly status: number }): boolean => status === 200;

describe('what goes wrong with a cluster', () => {
  let service: Server;
  let world: ClusterGateway;
  let cluster: TestCluster;

  beforeAll(async () => {
    service = createServer((_request, response) => response.end('a'));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    cluster = await new TestCluster().start();
    cluster.pageSize = 2;
    // Clusters without these kinds are as usual as those with them.
    for (const plural of ['gatehousepolicies', 'backendtlspolicies', 'grpcroutes'])
      cluster.absent.add(plural);
    cluster.apply(GATEWAY, ...serviceAt('a', (service.address() as AddressInfo).port));
    for (const name of ['one', 'two', 'three', 'four', 'five']) cluster.apply(routeOf(name));
    world = await ClusterGateway.start(cluster);
    await world.until(isServed, '/', { host: 'five.test' });
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  const serves = (name: string): Promise<unknown> => world.until(isServed, '/', { host: `${name}.test` });

  it('is ready once all of it is in force', async () => {
    expect((await world.ask('/health/ready')).status).toBe(200);
  });

  it('takes new objects, changed ones and those that go', async () => {
    cluster.apply(routeOf('new'));
    await serves('new');
    cluster.apply(
      routeOf('new', {
        filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'x.test' } }],
        backendRefs: [],
      }),
    );
    await world.until(({ status }) => status === 302, '/', { host: 'new.test' });
    cluster.delete('HTTPRoute', 'new');
    await world.until(({ status }) => status === 404, '/', { host: 'new.test' });
  });

  it.each(['event', 'end'] as const)(
    'lists anew when its version is forgotten, told by an %s',
    async (how) => {
      cluster.expire(how);
      cluster.apply(routeOf(`after-${how}`));
      await serves(`after-${how}`);
      await serves('one');
    },
  );

  it('goes on after what it cannot read', async () => {
    cluster.send('{"type":"ADDED"}\n');
    cluster.send('no JSON\n');
    cluster.apply(routeOf('after-garbage'));
    await serves('after-garbage');
  });

  it('serves what it knows while the cluster refuses, and goes on afterwards', async () => {
    cluster.instead = () => 503;
    cluster.cut();
    expect(isServed(await world.ask('/', { host: 'one.test' }))).toBe(true);
    const told = await world.gateway.linesWhere(({ why }) => /503|ECONNRESET|cut/.test(String(why)));
    expect(told).not.toEqual([]);
    cluster.instead = undefined;
    cluster.apply(routeOf('after-refusal'));
    await serves('after-refusal');
  });

  it('leaves out an object that cannot be compiled, and nothing else', async () => {
    cluster.apply(
      routeOf('bad', {
        matches: [{ headers: [{ name: 'x', type: 'RegularExpression', value: '(' }] }],
      }),
      routeOf('good'),
    );
    await serves('good');
    await serves('one');
    const bad = await cluster.until('HTTPRoute', 'bad', ({ status }) => status !== undefined);
    expect(JSON.stringify(bad.status)).toMatch(
      /"Accepted","status":"False","reason":"UnsupportedValue","message":"match\.headers\.x/,
    );
    cluster.apply(routeOf('bad'));
    await serves('bad');
  });

  it('names no variable of this process and fills in no value', async () => {
    const set = [{ name: 'x-told', value: '${HOME} {principal.id}' }];
    cluster.apply(
      routeOf('told', { filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }] }),
    );
    await serves('told');
    const { headers } = await world.ask('/', { host: 'told.test' });
    expect(headers['x-told']).toBe('${HOME} {principal.id}');
  });
});
