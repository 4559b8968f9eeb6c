import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { freePort } from '../../src/listeners/free-port.ts';
import { certificate } from '../support/certificates.ts';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';

const routeOf = (name: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: {
    parentRefs: [{ name: 'edge' }, { name: 'secure' }],
    hostnames: [`${name}.test`],
    rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
  },
});

const policyOf = (name: string, policies: object): object => ({
  apiVersion: 'gatehouse.dev/v1',
  kind: 'GatehousePolicy',
  metadata: { name },
  spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name }], policies },
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A Gateway that many share. */
const SECURE = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'secure' },
  spec: {
    gatewayClassName: 'gatehouse',
    listeners: [
      { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'edge' }] } },
    ],
  },
};

describe('objects of whoever may write into one namespace', () => {
  let service: Server;
  let world: ClusterGateway;
  let ports: readonly [one: number, inner: number, secure: number];
  const own = certificate({ name: 'edge.test', hosts: ['edge.test'] });

  beforeAll(async () => {
    service = createServer((_request, response) => response.end('a'));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    const cluster = await new TestCluster().start();
    cluster.apply(GATEWAY, ...serviceAt('a', (service.address() as AddressInfo).port), routeOf('one'));
    ports = [await freePort(), await freePort(), await freePort()];
    cluster.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'edge' },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(own.cert), 'tls.key': base64(own.key) },
      },
      SECURE,
    );
    world = await ClusterGateway.start(
      cluster,
      { ports: { 80: ports[0], 443: ports[2] } },
      { listeners: [{ port: ports[0] }] },
    );
    await serves('one');
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  const serves = (name: string): Promise<unknown> =>
    world.until(({ status }) => status === 200, '/', { host: `${name}.test` });

  const askSecure = async (): Promise<string> => {
    const socket = connect({ port: ports[2], host: '127.0.0.1', servername: 'edge.test', ca: own.cert });
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };

  const refusalOf = async (name: string, policies: object, message: string): Promise<void> => {
    world.cluster.apply(routeOf(name), policyOf(name, policies));
    await world.cluster.until('GatehousePolicy', name, ({ status }) =>
      JSON.stringify(status ?? 0).includes(message),
    );
    await world.until(({ status }) => status === 500, '/', { host: `${name}.test` });
    world.cluster.apply(routeOf(`after-${name}`));
    await serves(`after-${name}`);
    world.cluster.delete('GatehousePolicy', name);
    await serves(name);
  };

  it('hold nobody else up by what is nested too deep to be written', async () => {
    const template = JSON.parse('{"a":'.repeat(1500) + '1' + '}'.repeat(1500)) as object;
    await refusalOf('deep', { transform: { response: { template } } }, 'at most 64 levels');
  });

  it('have no Service of another namespace asked about requests', async () => {
    const externalAuthorization = {
      upstream: 'k8s_bank_ledger_80',
      forward: { path: '/all', passRefusal: true },
    };
    await refusalOf('nosy', { externalAuthorization }, 'is of another namespace');
  });

  it.each([
    ['nothing', '', ''],
    ['a form that listeners do not read', own.cert.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'), own.key],
  ])('close no port that others share by a Secret that holds %s', async (what, cert, key) => {
    const name = `edge-${what.length}`;
    world.cluster.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(cert), 'tls.key': base64(key) },
      },
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name },
        spec: {
          gatewayClassName: 'gatehouse',
          listeners: [{ name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name }] } }],
        },
      },
    );
    const told = await world.cluster.until('Gateway', name, ({ status }) =>
      JSON.stringify(status ?? 0).includes('Programmed'),
    );
    expect(JSON.stringify(told.status)).toContain('InvalidCertificateRef');
    expect(await askSecure()).toMatch(/^HTTP\/1.1 200 /);
  });

  it('are not served at a port that the file opens later', async () => {
    expect((await world.rewrite({ listeners: [{ port: ports[0] }, { port: ports[1] }] })).outcome).toBe(
      'reloaded',
    );
    const inner = { host: 'one.test', port: ports[1] };
    expect((await world.ask('/', inner)).status).toBe(404);
    expect((await world.ask('/', { host: 'one.test' })).status).toBe(200);
    world.cluster.apply(routeOf('later'));
    await serves('later');
    expect((await world.ask('/', inner)).status).toBe(404);
    expect((await world.ask('/', { ...inner, host: 'later.test' })).status).toBe(404);
  });

  it('have nothing at the path of the public keys that services believe', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
    const file = join(folder, 'signing.pem');
    writeFileSync(file, own.key);
    const identity = { signing: { keys: [file], path: '/keys' } };
    expect((await world.rewrite({ listeners: [{ port: ports[0] }], identity })).outcome).toBe('reloaded');
    const keys = await world.until(({ body }) => body.includes('"keys"'), '/keys', { host: 'one.test' });
    expect(JSON.parse(keys.body)).toMatchObject({ keys: [{ kty: 'EC' }] });
    expect((await world.ask('/other', { host: 'one.test' })).body).toBe('a');
    const exact = routeOf('thief') as { spec: { rules: object[] } };
    exact.spec.rules = [
      { matches: [{ path: { type: 'Exact', value: '/keys' } }], backendRefs: [{ name: 'a', port: 80 }] },
    ];
    world.cluster.apply(exact);
    const told = await world.cluster.until('HTTPRoute', 'thief', ({ status }) => status !== undefined);
    expect(JSON.stringify(told.status)).toContain('public keys');
    rmSync(folder, { recursive: true });
  });
});
