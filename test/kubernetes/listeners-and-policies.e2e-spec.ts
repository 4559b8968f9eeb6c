import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { freePort } from '../../src/listeners/free-port.ts';
import { ClusterGateway, serviceAt } from '../support/cluster-gateway.ts';
import { certificate } from '../support/certificates.ts';
import { TestCluster, type ClusterObject } from '../support/cluster.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const ROUTES = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: gatehouse }
spec: { controllerName: gatehouse.dev/gateway }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: gatehouse
  listeners:
    - { name: http, port: 80, protocol: HTTP }
    - { name: https, port: 443, protocol: HTTPS, hostname: edge.test, tls: { certificateRefs: [{ name: edge }] } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: to-https }
spec:
  parentRefs: [{ name: edge, sectionName: http }]
  rules: [{ filters: [{ type: RequestRedirect, requestRedirect: { scheme: https } }] }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: pages }
spec:
  parentRefs: [{ name: edge, port: 443 }]
  rules:
    - { name: open, backendRefs: [{ name: pages, port: 80 }] }
    - { name: secure, matches: [{ path: { value: /secure } }], backendRefs: [{ name: secure, port: 80 }] }
    - { name: guarded, matches: [{ path: { value: /guarded } }], backendRefs: [{ name: pages, port: 80 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: secure }
spec:
  targetRefs: [{ group: '', kind: Service, name: secure }]
  validation: { hostname: inner.test, caCertificateRefs: [{ group: '', kind: ConfigMap, name: inner }] }
`;

const policyOf = (name: string, policies: object, target: object): object => ({
  apiVersion: 'gatehouse.dev/v1',
  kind: 'GatehousePolicy',
  metadata: { name },
  spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', ...target }], policies },
});

const accepted = (object: ClusterObject): unknown =>
  (object.status?.['conditions'] as unknown[] | undefined)?.[0];

describe('listeners and policies of a cluster', () => {
  const authority = certificate({ name: 'authority', isAuthority: true });
  const own = certificate({ name: 'edge.test', hosts: ['edge.test'], by: authority });
  const inner = certificate({ name: 'inner.test', hosts: ['inner.test'], by: authority });
  let pages: Server;
  let secure: SecureServer;
  let world: ClusterGateway;
  let ports: readonly [http: number, https: number];

  beforeAll(async () => {
    pages = createServer((_request, response) => response.end('page'));
    secure = createSecureServer({ cert: inner.cert, key: inner.key }, (_request, response) =>
      response.end('secure'),
    );
    await once(pages.listen(0, '127.0.0.1'), 'listening');
    await once(secure.listen(0, '127.0.0.1'), 'listening');
    ports = [await freePort(), await freePort()];
    const cluster = await new TestCluster().start();
    cluster.apply(
      ROUTES,
      ...serviceAt('pages', (pages.address() as AddressInfo).port),
      ...serviceAt('secure', (secure.address() as AddressInfo).port),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'edge' },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(own.cert), 'tls.key': base64(own.key) },
      },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'inner', labels: { 'gatehouse.dev/ca': 'true' } },
        data: { 'ca.crt': authority.cert },
      },
    );
    const [http, https] = ports;
    world = await ClusterGateway.start(
      cluster,
      { ports: { 80: http, 443: https } },
      { listeners: [{ port: http }] },
    );
    await world.until(({ status }) => status === 302, '/');
  });

  afterAll(async () => {
    await world.stop();
    for (const server of [pages, secure]) {
      server.closeAllConnections();
      server.close();
    }
  });

  const askSecure = async (path: string, servername = 'edge.test'): Promise<string> => {
    const socket = connect({ port: ports[1], host: '127.0.0.1', servername, ca: authority.cert });
    await once(socket, 'secureConnect');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: edge.test\r\nConnection: close\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };

  it('serves each listener its own routes, with the certificate of its Secret', async () => {
    expect((await world.ask('/x', { host: 'edge.test' })).headers['location']).toBe('https://edge.test/x');
    expect(await askSecure('/x')).toMatch(/^HTTP\/1.1 200 [^]*page$/);
  });

  it('speaks TLS to a Service that a BackendTLSPolicy is about', async () => {
    expect(await askSecure('/secure')).toMatch(/^HTTP\/1.1 200 [^]*secure$/);
  });

  it('does not speak to it without, when the authority is gone', async () => {
    world.cluster.delete('ConfigMap', 'inner');
    await world.cluster.until('BackendTLSPolicy', 'secure', ({ status }) =>
      JSON.stringify(status ?? 0).includes('NoValidCACertificate'),
    );
    expect(await askSecure('/secure')).toMatch(/^HTTP\/1.1 500 /);
    expect(await askSecure('/x')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('has a policy hold for the rule that it names', async () => {
    const denies = { ipAccess: { deny: ['127.0.0.0/8'] } };
    world.cluster.apply(policyOf('deny', denies, { name: 'pages', sectionName: 'guarded' }));
    const policy = await world.cluster.until('GatehousePolicy', 'deny', ({ status }) => status !== undefined);
    expect(accepted(policy)).toMatchObject({ type: 'Accepted', status: 'True' });
    expect(await askSecure('/guarded')).toMatch(/^HTTP\/1.1 403 /);
    expect(await askSecure('/x')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('serves nobody what a policy was meant to guard that cannot be read, and says where it is wrong', async () => {
    world.cluster.apply(
      policyOf('deny', { ipAcess: { deny: ['127.0.0.0/8'] } }, { name: 'pages', sectionName: 'guarded' }),
    );
    const policy = await world.cluster.until('GatehousePolicy', 'deny', (one) =>
      JSON.stringify(one.status ?? 0).includes('ipAcess'),
    );
    expect(accepted(policy)).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(await askSecure('/guarded')).toMatch(/^HTTP\/1.1 500 /);
    expect(await askSecure('/x')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('takes another certificate without a pause', async () => {
    const next = certificate({ name: 'edge.test', hosts: ['edge.test', 'more.test'], by: authority });
    const secret = world.cluster.get('Secret', 'edge') as ClusterObject;
    world.cluster.apply({ ...secret, data: { 'tls.crt': base64(next.cert), 'tls.key': base64(next.key) } });
    const names = async (): Promise<string> => {
      const socket = connect({
        port: ports[1],
        host: '127.0.0.1',
        servername: 'edge.test',
        ca: authority.cert,
      });
      await once(socket, 'secureConnect');
      const { subjectaltname = '' } = socket.getPeerCertificate();
      socket.destroy();
      return subjectaltname;
    };
    for (let tries = 0; tries < 100 && !(await names()).includes('more.test'); tries += 1);
    expect(await names()).toContain('more.test');
  });

  it('closes a listener whose certificate is none, says so, and serves the others', async () => {
    const secret = world.cluster.get('Secret', 'edge') as ClusterObject;
    world.cluster.apply({ ...secret, data: { 'tls.crt': base64('none'), 'tls.key': base64('none') } });
    const gateway = await world.cluster.until('Gateway', 'edge', (one) =>
      JSON.stringify(one.status ?? 0).includes('InvalidCertificateRef'),
    );
    expect(gateway.status).toMatchObject({ listeners: [{ name: 'http' }, { name: 'https' }] });
    await expect(askSecure('/x')).rejects.toThrow();
    expect((await world.ask('/x')).status).toBe(302);
  });
});
