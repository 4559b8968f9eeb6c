import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { certificate } from '../../test/support/certificates.ts';
import { GATEWAY, serviceAt } from '../../test/support/cluster-gateway.ts';
import { TestCluster } from '../../test/support/cluster.ts';
import { kubernetesSchema } from '../routing/kubernetes.schema.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LogLines } from '../testing/log-lines.ts';
import { ClusterConfig, type ClusterConfigDeps, type ClusterOptions } from './cluster-config.ts';
import { until } from './test-cluster.fixture.ts';

const FILE = 'version: 1\nlisteners: [{ port: 80 }]\nroutes: []\n';
const routeOf = (name: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: {
    parentRefs: [{ name: 'edge' }],
    hostnames: [`${name}.test`],
    rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
  },
});

describe('ClusterConfig', () => {
  let cluster: TestCluster;
  let folder: string;
  let config: ClusterConfig;
  let reloads: number;

  const start = (more: object = {}): void => {
    const options = kubernetesSchema.parse({
      kubeconfig: 'kubeconfig',
      settle: '5ms',
      folder: 'secrets',
      ...more,
    });
    const deps: ClusterConfigDeps = {
      logger: createLogger('info', new LogLines(Infinity)),
      metrics: new Metrics(),
      source: {
        document: {
          file: join(folder, 'gateway.yaml'),
          value: { kubernetes: { policies: { authentication: 'public' } } },
        },
      } as unknown as ClusterConfigDeps['source'],
      environmentPort: 8080,
      listeners: () => [{ port: 80 }],
      reload: () => {
        reloads += 1;
        return Promise.resolve({ outcome: 'reloaded' } as Awaited<ReturnType<ClusterConfigDeps['reload']>>);
      },
    };
    config = new ClusterConfig(deps, options as ClusterOptions);
    config.start();
  };
  const ids = (): readonly string[] =>
    ((parse(config.added(FILE)) as { routes: { id: string }[] | null }).routes ?? []).map(({ id }) => id);

  beforeEach(async () => {
    reloads = 0;
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
    cluster = await new TestCluster().start();
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig);
    cluster.apply(GATEWAY, ...serviceAt('a', 9), routeOf('one'));
  });

  afterEach(async () => {
    await config.close();
    cluster.stop();
    rmSync(folder, { recursive: true });
  });

  it('is awaited until all kinds were listed and are in force, and adds nothing before', async () => {
    cluster.instead = (path) => (path.endsWith('/secrets') ? 503 : undefined);
    start();
    await until(() => config.awaited.length === 1);
    expect([config.awaited, ids(), reloads]).toEqual([["the cluster's secrets in all namespaces"], [], 0]);
    cluster.instead = undefined;
    await until(() => config.awaited.length === 0);
    expect([ids(), reloads]).toEqual([['httproute.default.one.0.0.0'], 1]);
  });

  it('is put into force again where something is other than it was, and only then', async () => {
    start();
    await until(() => config.awaited.length === 0);
    cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'more' } }, routeOf('two'));
    await until(() => ids().length === 2);
    await until(() => reloads === 2);
    const { watches } = config.followed;
    expect(watches.find(({ kind }) => kind === 'Namespace')).toMatchObject({ objects: 1 });
  });

  it('leaves out what a fault is about, until that object changes', async () => {
    cluster.apply(routeOf('two'));
    start();
    await until(() => config.awaited.length === 0);
    const fault = {
      file: 'f',
      routeId: 'httproute.default.two.0.0.0',
      key: 'routes[1].match',
      message: 'is odd',
    };
    expect([config.takeOut([fault]), config.takeOut([fault]), ids()]).toEqual([
      true,
      false,
      ['httproute.default.one.0.0.0'],
    ]);
    expect(config.followed.objects.find(({ name }) => name === 'two')).toMatchObject({
      state: 'refused',
      why: ['Accepted UnsupportedValue: match: is odd'],
    });
    cluster.apply({
      ...routeOf('two'),
      spec: { ...(routeOf('two') as { spec: object }).spec, hostnames: ['other.test'] },
    });
    await until(() => ids().length === 2);
  });

  it('leaves out whose routes lead to an upstream that a fault is about', async () => {
    start();
    await until(() => config.awaited.length === 0);
    expect(config.takeOut([{ file: 'f', key: 'upstreams[k8s_default_a_80].discovery', message: 'no' }])).toBe(
      true,
    );
    expect(ids()).toEqual([]);
    expect(config.takeOut([{ file: 'f', key: 'upstreams[of-the-file]', message: 'no' }])).toBe(false);
  });

  it('keeps no key of a Secret that is not used any more, and none at the end', async () => {
    const { cert, key } = certificate({ name: 'a.test' });
    const data = {
      'tls.crt': Buffer.from(cert).toString('base64'),
      'tls.key': Buffer.from(key).toString('base64'),
    };
    const listeners = [
      { name: 's', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 's' }] } },
    ];
    const gateway = (more: object[]): object => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'tls' },
      spec: { gatewayClassName: 'gatehouse', listeners: more },
    });
    cluster.apply(
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, type: 'kubernetes.io/tls', data },
      gateway(listeners),
    );
    start({ ports: { 443: 8443 } });
    await until(() => config.awaited.length === 0);
    const files = (): number => readdirSync(join(folder, 'secrets')).length;
    expect(files()).toBe(2);
    cluster.apply(gateway([]));
    await until(() => files() === 0);
    expect(existsSync(join(folder, 'secrets'))).toBe(true);
  });
});
