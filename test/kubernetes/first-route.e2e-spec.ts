import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';

describe('a Gateway and an HTTPRoute', () => {
  let service: Server;
  let world: ClusterGateway;

  beforeAll(async () => {
    service = createServer((request, response) => response.end(`users ${request.url}`));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    const cluster = await new TestCluster().start();
    cluster.apply(GATEWAY, ...serviceAt('users', (service.address() as AddressInfo).port));
    cluster.apply(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: users }
spec:
  parentRefs: [{ name: edge }]
  hostnames: [api.test]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /users } }]
      backendRefs: [{ name: users, port: 80 }]
`);
    world = await ClusterGateway.start(cluster);
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  it('takes requests to the pods of the Service', async () => {
    const { body } = await world.until(({ status }) => status === 200, '/users/7', { host: 'api.test' });
    expect(body).toBe('users /users/7');
    expect((await world.ask('/users/7', { host: 'other.test' })).status).toBe(404);
  });

  it('says so in the status of all of them', async () => {
    const { cluster } = world;
    const route = await cluster.until('HTTPRoute', 'users', ({ status }) => status !== undefined);
    expect(route.status).toMatchObject({
      parents: [
        {
          parentRef: { name: 'edge' },
          controllerName: 'gatehouse.dev/gateway',
          conditions: [
            { type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 1 },
            { type: 'ResolvedRefs', status: 'True' },
          ],
        },
      ],
    });
    const gateway = await cluster.until('Gateway', 'edge', ({ status }) => status !== undefined);
    expect(gateway.status).toMatchObject({ listeners: [{ name: 'http', attachedRoutes: 1 }] });
    await cluster.until('GatewayClass', 'gatehouse', ({ status }) => status !== undefined);
  });
});
