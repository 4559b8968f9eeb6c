import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { freePort } from '../../src/listeners/free-port.ts';
import { ClusterGateway, serviceAt } from '../support/cluster-gateway.ts';
import { certificate, type Certificate } from '../support/certificates.ts';
import { TestCluster } from '../support/cluster.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const secretOf = (name: string, { cert, key }: { cert: string; key: string }): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': base64(cert), 'tls.key': base64(key) },
});

const ingressOf = (name: string, secretName: string): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    ingressClassName: 'gatehouse',
    tls: [{ hosts: [`${name}.test`], secretName }],
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

describe('Ingresses with tls', () => {
  const authority = certificate({ name: 'authority', isAuthority: true });
  const of = (name: string, ...more: string[]): Certificate =>
    certificate({ name, hosts: [name, ...more], by: authority });
  let service: Server;
  let world: ClusterGateway;
  let cluster: TestCluster;
  let https: number;

  beforeAll(async () => {
    service = createServer((request, response) => response.end(`a ${request.headers.host}`));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    const http = await freePort();
    https = await freePort();
    cluster = await new TestCluster().start();
    cluster.apply(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'gatehouse' },
        spec: { controller: 'gatehouse.dev/gateway' },
      },
      ...serviceAt('a', (service.address() as AddressInfo).port),
      secretOf('one', of('one.test')),
      secretOf('two', of('two.test')),
      ingressOf('one', 'one'),
      ingressOf('two', 'two'),
    );
    world = await ClusterGateway.start(
      cluster,
      { ingress: true, gatewayApi: false, ports: { 80: http, 443: https } },
      { listeners: [{ port: http }] },
    );
    await world.until(({ status }) => status === 200, '/', { host: 'one.test' });
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  const open = async (servername: string): Promise<TLSSocket> => {
    const socket = connect({ port: https, host: '127.0.0.1', servername, ca: authority.cert });
    await once(socket, 'secureConnect');
    return socket;
  };
  const ask = async (host: string): Promise<string> => {
    const socket = await open(host);
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  const namesOf = async (servername: string): Promise<string> => {
    const socket = await open(servername);
    const { subjectaltname = '' } = socket.getPeerCertificate();
    socket.destroy();
    return subjectaltname;
  };

  it('are served at 443, each with the certificate of its Secret, by the name that is asked for', async () => {
    expect(await ask('one.test')).toMatch(/^HTTP\/1.1 200 [^]*a one\.test$/);
    expect(await ask('two.test')).toMatch(/^HTTP\/1.1 200 [^]*a two\.test$/);
    expect([await namesOf('one.test'), await namesOf('two.test')]).toEqual(['DNS:one.test', 'DNS:two.test']);
  });

  it('take over a renewed Secret, and open connections go on', async () => {
    const before = await open('one.test');
    cluster.apply(secretOf('one', of('one.test', 'renewed.test')));
    let names = '';
    for (let tries = 0; tries < 400 && !names.includes('renewed'); tries += 1) {
      await sleep(5);
      names = await namesOf('one.test');
    }
    expect(names).toContain('renewed.test');
    expect(await namesOf('two.test')).toBe('DNS:two.test');
    before.write('GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of before) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 200 /);
  });

  it('say in the log that a Secret cannot be used, and serve the others', async () => {
    cluster.apply(secretOf('two', { cert: 'none', key: 'none' }));
    const [line] = await world.gateway.linesWhere(({ remark }) =>
      String(remark).includes('Secret default/two'),
    );
    expect(line?.['remark']).toMatch(/^Ingress default\/two: tls\[0\]\.secretName: tls\.crt and tls\.key/);
    expect(JSON.stringify(world.gateway.lines)).not.toContain('PRIVATE KEY');
    expect(await ask('one.test')).toMatch(/^HTTP\/1.1 200 /);
    await world.until(({ status }) => status === 200, '/', { host: 'two.test' });
  });
});
