import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { KubeApiServer } from '../support/kube-apiserver.ts';

const GROUP = '/apis/gateway.networking.k8s.io/v1';
const RIGHTS = join(import.meta.dirname, '../../deploy/kubernetes/gateway-api/rbac.yaml');

const conditions = ({ status }: Record<string, unknown>): string => JSON.stringify(status ?? {});

describe('a real API server', () => {
  jest.setTimeout(180_000);
  let service: Server;
  let cluster: KubeApiServer;
  let world: ClusterGateway<KubeApiServer>;

  beforeAll(async () => {
    service = createServer((request, response) => response.end(`users ${request.url}`));
    await once(service.listen(0, '0.0.0.0'), 'listening');
    cluster = await new KubeApiServer().start();
    await cluster.define();
    const { port } = service.address() as AddressInfo;
    // Loopback is no address of a pod: https://github.com/kubernetes/kubernetes, validation of endpoints.
    const [own, slice] = serviceAt('users', port, 'default', [ownAddress()]) as [object, object];
    await cluster.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gatehouse' } },
      readFileSync(RIGHTS, 'utf8'),
      GATEWAY,
      own,
      slice,
      `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: users }
spec:
  parentRefs: [{ name: edge }]
  hostnames: [api.test]
  rules: [{ name: all, backendRefs: [{ name: users, port: 80 }] }]
`,
    );
    world = await ClusterGateway.start(cluster, { ingress: true });
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  it('is followed with the rights of the file, and no others', async () => {
    const { body } = await world.until(({ status }) => status === 200, '/7', { host: 'api.test' });
    expect(body).toBe('users /7');
  });

  it('takes the statuses that are written, by its own schemas', async () => {
    for (const [path, wanted] of [
      [`${GROUP}/gatewayclasses/gatehouse`, '"Accepted"'],
      [`${GROUP}/namespaces/default/gateways/edge`, '"attachedRoutes":1'],
      [`${GROUP}/namespaces/default/httproutes/users`, '"controllerName":"gatehouse.dev/gateway"'],
    ] as const)
      expect(conditions(await cluster.until(path, (one) => conditions(one).includes(wanted)))).toContain(
        '"status":"True"',
      );
    expect(
      world.gateway.lines.filter(({ msg }) => msg === 'the status of an object cannot be written'),
    ).toEqual([]);
  });

  it('keeps what it cannot check of a GatehousePolicy, and the gateway refuses it', async () => {
    const policy = (policies: object): object => ({
      apiVersion: 'gatehouse.dev/v1',
      kind: 'GatehousePolicy',
      metadata: { name: 'users' },
      spec: {
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'users' }],
        policies,
      },
    });
    const path = '/apis/gatehouse.dev/v1/namespaces/default/gatehousepolicies/users';
    await cluster.apply(policy({ ipAccess: { deny: ['127.0.0.0/8'] } }));
    await world.until(({ status }) => status === 403, '/7', { host: 'api.test' });
    await cluster.apply(policy({ ipAcess: { deny: ['127.0.0.0/8'] } }));
    await world.until(({ status }) => status === 500, '/7', { host: 'api.test' });
    await cluster.until(path, (one) => conditions(one).includes('ipAcess'));
  });
});

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
