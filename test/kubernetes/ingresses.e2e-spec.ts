import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ClusterGateway, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';

const INGRESSES = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: gatehouse }
spec: { controller: gatehouse.dev/gateway }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  ingressClassName: gatehouse
  rules:
    - host: shop.test
      http:
        paths:
          - { path: /exact, pathType: Exact, backend: { service: { name: a, port: { number: 80 } } } }
          - { path: /prefix, pathType: Prefix, backend: { service: { name: a, port: { name: http } } } }
          - { path: /none, pathType: Prefix, backend: { service: { name: none, port: { number: 80 } } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: rest }
spec: { ingressClassName: gatehouse, defaultBackend: { service: { name: b, port: { number: 80 } } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: others }
spec: { ingressClassName: nginx, rules: [{ host: others.test, http: { paths: [{ path: /x, pathType: Exact, backend: { service: { name: a, port: { number: 80 } } } }] } }] }
`;

describe('Ingresses', () => {
  const services: Server[] = [];
  let world: ClusterGateway;

  beforeAll(async () => {
    const cluster = await new TestCluster().start();
    for (const name of ['a', 'b']) {
      const server = createServer((request, response) => response.end(`${name} ${request.url}`));
      services.push(server);
      await once(server.listen(0, '127.0.0.1'), 'listening');
      cluster.apply(...serviceAt(name, (server.address() as AddressInfo).port));
    }
    cluster.apply(INGRESSES);
    world = await ClusterGateway.start(cluster, {
      ingress: true,
      gatewayApi: false,
      addresses: ['192.0.2.1'],
    });
    await world.until(({ status }) => status === 200, '/exact', { host: 'shop.test' });
  });

  afterAll(async () => {
    await world.stop();
    for (const server of services) {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    ['/exact', 'shop.test', 200, 'a /exact'],
    ['/prefix/x', 'shop.test', 200, 'a /prefix/x'],
    ['/exact/x', 'shop.test', 200, 'b /exact/x'],
    ['/none', 'shop.test', 503, ''],
    ['/x', 'others.test', 200, 'b /x'],
  ])('%s of %s is %d %s', async (path, host, status, body) => {
    expect(await world.ask(path, { host })).toMatchObject({ status, body });
  });

  it('have the addresses of the gateway, and what is wrong is in the log', async () => {
    const { status } = await world.cluster.until('Ingress', 'shop', (one) => one.status !== undefined);
    expect(status).toEqual({ loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    const [line] = await world.gateway.linesWhere(
      ({ msg }) => msg === 'an object of the cluster is not served as it says',
    );
    expect(line?.['remark']).toMatch(
      /Ingress default\/shop: rules\[0\].http.paths\[2\].* no Service default\/none/,
    );
    expect(world.cluster.asked.some((one) => one.includes('/gateways'))).toBe(false);
  });
});
