import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/listeners/free-port.ts';
import { entry, FakeConsul } from '../../src/upstreams/discovery/consul/consul.fixture.ts';
import { FakeCluster, refuse, slice } from '../../src/upstreams/discovery/kubernetes/kubernetes.fixture.ts';
import type { CheckResult } from '../../src/doctor/check.ts';
import { certificate } from '../support/certificates.ts';
import { Dnsmasq, DNSMASQ } from '../support/dnsmasq.ts';
import { examined as examinedBy, found, type Asked } from '../support/doctor.ts';
import { GroupNode, startCluster, startSentinels } from '../support/redis-group.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Groups of processes.
jest.setTimeout(30_000);

let folder: string;
let upstream: TestUpstream;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-doctor-afar-'));
  upstream = await startUpstream();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(async () => {
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

const examined = (config: string, asked: Asked = {}): Promise<readonly CheckResult[]> =>
  examinedBy(folder, config, asked);
const ofRedis = (url: string, more: Readonly<Record<string, string>> = {}) =>
  examined('', { environment: { REDIS_URL: url, ...more } });
const portOf = (url: string): number => Number(new URL(url).port);

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('Redis by Sentinels', () => {
  it('is reached by the master that they name, and each of them is looked at', async () => {
    const group = await startSentinels();
    ends.push(() => group.stop());
    const dead = await freePort();
    const results = await ofRedis(group.url.replace('/mymaster', `,127.0.0.1:${dead}/mymaster`));
    expect(found(results, 'redis')).toMatchObject({ level: 'ok', what: 'answers, one server' });
    expect(found(results, 'redis role')).toMatchObject({ level: 'ok', what: 'it takes writes' });
    const sentinels = results.filter(({ check }) => check === 'redis sentinel');
    expect(sentinels.map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'warn']);
    expect(sentinels[3]).toMatchObject({
      subject: `127.0.0.1:${dead}`,
      mend: 'start that Sentinel, or take it out of REDIS_URL',
    });
    const strange = await ofRedis(group.url.replace('/mymaster', '/nobody'));
    expect(found(strange, 'redis')).toMatchObject({ level: 'fail', mend: expect.stringContaining('REDIS_URL') });
  }); // prettier-ignore
});

describe('a Cluster of Redis', () => {
  it('is whole when all of its masters are reached, and says how many are not', async () => {
    const group = await startCluster();
    ends.push(() => group.stop());
    const whole = await ofRedis(group.url);
    expect(found(whole, 'redis')).toMatchObject({ level: 'ok', what: 'answers, 3 masters' });
    expect(found(whole, 'redis role')).toMatchObject({ level: 'ok', what: 'all 3 masters are reached' });
    await group.nodes[2]?.kill();
    const torn = await ofRedis(group.url);
    expect(found(torn, 'redis role')).toMatchObject({
      level: 'fail',
      what: '1 of 3 masters cannot be reached',
    });
  });
});

describe('Redis over TLS', () => {
  it('is well with its authority and its name, and else the key is named that mends it', async () => {
    const ca = certificate({ name: 'ca', isAuthority: true });
    const own = certificate({ name: 'redis', hosts: ['redis.internal'], by: ca });
    const port = await freePort();
    const caFile = file('ca.pem', ca.cert);
    const args = ['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
    const files = ['--tls-ca-cert-file', caFile, '--tls-cert-file', file('own.pem', own.cert), '--tls-key-file', file('own.key', own.key), '--tls-auth-clients', 'no'];
    const server = await new GroupNode(port, [...args, ...files]).start();
    ends.push(() => server.kill());
    const url = `rediss://127.0.0.1:${port}`;
    const [well, untrusted, misnamed, clear] = await Promise.all([
      ofRedis(url, { REDIS_CA_FILE: caFile, REDIS_SERVER_NAME: 'redis.internal' }),
      ofRedis(url, { REDIS_SERVER_NAME: 'redis.internal' }),
      ofRedis(url, { REDIS_CA_FILE: caFile, REDIS_SERVER_NAME: 'other.internal' }),
      ofRedis(url.replace('rediss', 'redis')),
    ]);
    expect(found(well, 'redis')).toMatchObject({ level: 'ok' });
    expect(found(well, 'redis tls')).toMatchObject({ level: 'ok', what: 'over TLS, verified' });
    expect(found(untrusted, 'redis')).toMatchObject({ level: 'fail', mend: expect.stringContaining('REDIS_CA_FILE') });
    expect(found(misnamed, 'redis')).toMatchObject({ level: 'fail', mend: expect.stringContaining('REDIS_SERVER_NAME') });
    expect(found(clear, 'redis')).toMatchObject({ level: 'fail', mend: expect.stringContaining('needs rediss') });
  }); // prettier-ignore
});

describe('a registry of Consul', () => {
  const start = async (): Promise<FakeConsul> => {
    const consul = await new FakeConsul().start();
    ends.push(() => consul.stop());
    return consul;
  };
  const config = ({ url }: FakeConsul): string =>
    `upstreams: { it: { discovery: { consul: { service: web, url: '${url}', tokenEnv: CONSUL_TOKEN } } } }`;
  const environment = { CONSUL_TOKEN: 'hush-of-consul' };

  it('is asked with its token, and its instances are looked at', async () => {
    const consul = await start();
    const dead = await freePort();
    consul.list = [
      entry({ Address: '127.0.0.1', Port: portOf(upstream.url) }),
      entry({ ID: 'web-2', Address: '127.0.0.1', Port: dead }),
    ];
    const results = await examined(config(consul), { environment });
    expect(found(results, 'discovery')).toMatchObject({ level: 'ok', what: '2 targets' });
    expect(found(results, 'target', upstream.url)).toMatchObject({ level: 'ok' });
    expect(found(results, 'target', String(dead))).toMatchObject({ level: 'fail' });
    expect(consul.headers[0]?.['x-consul-token']).toBe('hush-of-consul');
    expect(JSON.stringify(results)).not.toContain('hush-of-consul');
  });

  it.each([
    ['refuses', (consul: FakeConsul) => (consul.instead = (response) => void response.writeHead(403).end('no'))],
    ['knows of no instance', (consul: FakeConsul) => (consul.list = [])],
  ])('that %s is a fault, with its place in the file', async (_, change) => {
    const consul = await start();
    change(consul);
    const one = found(await examined(config(consul), { environment }), 'discovery');
    expect(one).toMatchObject({ level: 'fail', mend: expect.stringMatching(/gateway\.yaml:2:\d+ upstreams\.it\.discovery$/) });
  }); // prettier-ignore
});

describe('a cluster of Kubernetes', () => {
  const config = (cluster: FakeCluster, token = 'hush-of-kubernetes'): string => {
    const kubeconfig = file(
      'kubeconfig.json',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'it',
        contexts: [{ name: 'it', context: { cluster: 'it', user: 'it', namespace: 'shop' } }],
        clusters: [{ name: 'it', cluster: { server: cluster.url, 'insecure-skip-tls-verify': true } }],
        users: [{ name: 'it', user: { token } }],
      }),
    );
    return `upstreams: { it: { discovery: { kubernetes: { service: web, kubeconfig: ${kubeconfig} } } } }`;
  };
  const start = async (): Promise<FakeCluster> => {
    const cluster = await new FakeCluster().start();
    ends.push(() => cluster.stop());
    cluster.token = 'hush-of-kubernetes';
    return cluster;
  };

  it('is asked as the gateway asks it, and its pods are looked at', async () => {
    const cluster = await start();
    const ports = [{ name: 'http', port: portOf(upstream.url), protocol: 'TCP' }];
    cluster.slices = [slice('a', ['127.0.0.1'], { ports })];
    const results = await examined(config(cluster));
    expect(found(results, 'discovery')).toMatchObject({ level: 'ok', what: '1 target' });
    expect(found(results, 'target', upstream.url)).toMatchObject({ level: 'ok' });
  });

  it('that does not know the token, or does not let it read, is a fault', async () => {
    const cluster = await start();
    expect(found(await examined(config(cluster, 'another')), 'discovery').level).toBe('fail');
    cluster.instead.list = refuse(403, 'Forbidden');
    const results = await examined(config(cluster));
    expect(found(results, 'discovery')).toMatchObject({
      level: 'fail',
      what: expect.stringContaining('403'),
    });
    expect(JSON.stringify(results)).not.toContain('hush-of-kubernetes');
  });
});

// Without it this is shown as skipped.
(DNSMASQ === undefined ? describe.skip : describe)('a name server', () => {
  it('is asked for the records of a name, and what they name is looked at', async () => {
    const server = await Dnsmasq.start(
      ['127.0.0.1 one.test'],
      [`--srv-host=_http._tcp.web.test,one.test,${portOf(upstream.url)},0,5`],
    );
    ends.push(() => server.stop());
    const config = (name: string): string =>
      `upstreams: { it: { discovery: { dns: { name: ${name}, type: SRV, servers: ['127.0.0.1:${server.port}'], timeout: 1s } } } }`;
    let results = await examined(config('_http._tcp.web.test'));
    // It may take a moment until it answers.
    while (found(results, 'discovery').level !== 'ok')
      results = await examined(config('_http._tcp.web.test'));
    expect(found(results, 'discovery')).toMatchObject({ what: '1 target' });
    expect(results.filter(({ check }) => check === 'target').map(({ level }) => level)).toEqual(['ok']);
    expect(found(await examined(config('_http._tcp.none.test')), 'discovery').level).toBe('fail');
  });
});
