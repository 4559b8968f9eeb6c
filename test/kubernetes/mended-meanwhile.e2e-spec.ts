import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';

const open = { authentication: 'public' };
const respond = (id: string, path: string, hosts?: string[]): object => ({
  id,
  match: { path, ...(hosts && { hosts }) },
  respond: { status: 204 },
  policies: open,
});
const objectAt = (path: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'o' },
  spec: {
    parentRefs: [{ name: 'edge' }],
    rules: [{ matches: [{ path: { type: 'Exact', value: path } }], backendRefs: [{ name: 'a', port: 80 }] }],
  },
});

it('does not blame an object that was mended while a file was compiled with what it said before', async () => {
  const service = createServer((_request, response) => response.end('a'));
  await once(service.listen(0, '127.0.0.1'), 'listening');
  const cluster = await new TestCluster().start();
  cluster.apply(GATEWAY, ...serviceAt('a', (service.address() as AddressInfo).port), objectAt('/x'));
  const world = await ClusterGateway.start(cluster);
  try {
    await world.until(({ status }) => status === 200, '/x');
    // The file takes the path over, and the object moves away: both at the same time.
    const filler = Array.from({ length: 3000 }, (_, at) => respond(`f${at}`, `/filler/${at}`));
    const bad = { id: 'taker', match: { path: '/x' }, respond: { status: 204 }, policies: open };
    const reloading = world.rewrite({ listeners: [{ port: 0 }], routes: [bad, ...filler] });
    await sleep(60);
    cluster.apply(objectAt('/y'));
    await reloading;
    await world.until(({ status }) => status === 200, '/y');
    expect((await world.ask('/x')).status).toBe(204);
  } finally {
    await world.stop();
    service.closeAllConnections();
    service.close();
  }
}, 60_000);
