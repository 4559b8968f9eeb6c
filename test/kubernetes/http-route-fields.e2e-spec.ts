import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterGateway, GATEWAY, serviceAt, type Answered } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';
import { ROWS, type RowAsk } from './http-route-rows.ts';

const GRANT = {
  apiVersion: 'gateway.networking.k8s.io/v1beta1',
  kind: 'ReferenceGrant',
  metadata: { name: 'from-default', namespace: 'granted' },
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }],
    to: [{ group: '', kind: 'Service' }],
  },
};

describe('fields of an HTTPRoute', () => {
  const services: Server[] = [];
  const counts: Record<string, number> = {};
  let world: ClusterGateway;

  const serve = async (name: string, namespace?: string): Promise<object[]> => {
    const server = createServer((request, response) => {
      counts[name] = (counts[name] ?? 0) + 1;
      response.setHeader('x-service', name);
      if (name === 'flaky' && (counts[name] ?? 0) % 2 === 1) return response.writeHead(503).end();
      const { url, headers, method } = request;
      const body = JSON.stringify({ name, url, method, headers: { 'x-gone': null, ...headers } });
      if (url?.startsWith('/slow') === true) return setTimeout(() => response.end(body), 400).unref();
      return response.end(body);
    });
    services.push(server);
    await once(server.listen(0, '0.0.0.0'), 'listening');
    const pods = name === 'flaky' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1'];
    return serviceAt(name, (server.address() as AddressInfo).port, namespace, pods);
  };

  beforeAll(async () => {
    const cluster = await new TestCluster().start();
    cluster.apply(GATEWAY, GRANT);
    for (const name of ['a', 'b', 'flaky']) cluster.apply(...(await serve(name)));
    cluster.apply(...(await serve('c', 'granted')));
    ROWS.forEach(({ rule, spec }, index) => {
      cluster.apply({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: `row-${index}` },
        spec: {
          parentRefs: [{ name: 'edge' }],
          hostnames: [`row-${index}.test`],
          rules: [{ backendRefs: [{ name: 'a', port: 80 }], ...rule }],
          ...spec,
        },
      });
    });
    world = await ClusterGateway.start(cluster);
    await world.until(({ status }) => status === 200, '/one', { host: 'row-1.test' });
    for (const index of ROWS.keys()) {
      await cluster.until('HTTPRoute', `row-${index}`, ({ status }) => status !== undefined);
    }
  });

  afterAll(async () => {
    await world.stop();
    for (const server of services) {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each(ROWS.map((row, index) => [row.field, row, index] as const))(
    '%s',
    async (_field, { asks }, index) => {
      for (const ask of asks) await shows(ask, index);
    },
  );

  async function shows(ask: RowAsk, index: number): Promise<void> {
    for (const name of Object.keys(counts)) counts[name] = 0;
    const answers: Answered[] = [];
    for (let time = 0; time < (ask.times ?? 1); time += 1)
      answers.push(await world.ask(ask.path, { host: `row-${index}.test`, ...ask }));
    const [first] = answers as [Answered];
    if (ask.counts === undefined) expect([ask.path, first.status]).toEqual([ask.path, ask.status ?? 200]);
    if (ask.body !== undefined) expect(JSON.parse(first.body)).toMatchObject(ask.body);
    if (ask.answer !== undefined) expect(first.headers).toMatchObject(ask.answer);
    if (ask.counts === undefined) return;
    const failed = answers.filter(({ status }) => status === 500).length;
    const seen = (): object => ({ ...counts, ...(failed > 0 && { '500': failed }) });
    // Copies go their own way.
    for (let tries = 0; tries < 200 && !covers(seen(), ask.counts); tries += 1) await sleep(5);
    expect(seen()).toMatchObject(ask.counts);
  }
});

function covers(seen: object, wanted: Readonly<Record<string, number>>): boolean {
  return Object.entries(wanted).every(([name, count]) => (seen as Record<string, number>)[name] === count);
}
