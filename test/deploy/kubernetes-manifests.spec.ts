import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readConfig } from '../../src/config/config-reader.ts';
import { environmentSchema, readEnvironment } from '../../src/config/env.schema.ts';
import { secretFilesOf } from '../../src/config/secret-files.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { endsWithinMs } from '../../src/process-life.ts';
import { configText, deploymentOf, ofKind, PLAIN_FILES, plainManifests } from './manifests.ts';

const HEALTH = readFileSync('docs/operations.md', 'utf8');

it('there is one without and one with everything', () => {
  expect(PLAIN_FILES).toEqual(['minimal.yaml', 'production.yaml']);
});

describe.each(PLAIN_FILES)('%s', (file) => {
  const manifests = plainManifests(file);
  const { spec } = deploymentOf(manifests);
  const pod = spec.template.spec;
  const [gateway] = pod.containers;
  const variables = Object.fromEntries(gateway.env.map(({ name, value }) => [name, value]));
  // Those of Redis are read when the environment is.
  const environment = readEnvironment(
    Object.fromEntries(Object.entries(variables).filter(([name]) => !/^REDIS_.*_FILE$/.test(name))),
  );
  const text = configText(manifests) ?? '';
  const config = readConfig(gatewaySchema, text, '/etc/gatehouse/gateway.yaml', {});

  it('sets variables that the gateway knows, each once', () => {
    const names = gateway.env.map(({ name }) => name);
    expect(names.filter((name) => !(name in environmentSchema.shape))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    expect(environment.mode).toBe('production');
  });

  it('gives the gateway as long to end as it may take', () => {
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(endsWithinMs(environment));
  });

  it('names the ports that the gateway listens on', () => {
    const ports = Object.fromEntries(gateway.ports.map(({ name, containerPort }) => [name, containerPort]));
    const listened = config.value.listeners?.map(({ port }) => port) ?? [environment.port];
    const { operators, ...clients } = ports;
    expect(Object.values(clients).toSorted()).toEqual([...listened].toSorted());
    expect(operators ?? environment.adminPort).toBe(environment.adminPort);
    for (const one of ofKind(manifests, 'Service')) {
      const served = one.spec['ports'] as { targetPort: string }[];
      for (const { targetPort } of served) expect(Object.keys(ports)).toContain(targetPort);
    }
  });

  it('asks what the gateway answers for its health, at a port that leads nowhere else', () => {
    const { startupProbe, readinessProbe, livenessProbe } = gateway;
    expect([startupProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual(
      Array(2).fill('/health/live'),
    );
    expect(readinessProbe.httpGet.path).toBe('/health/ready');
    for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
      expect(HEALTH).toContain(`\`${httpGet.path}\``);
      const asked = gateway.ports.find(({ name }) => name === httpGet.port)?.containerPort;
      const listener = config.value.listeners?.find(({ port }) => port === asked);
      expect(listener?.redirectToHttps ?? false).toBe(false);
      expect(httpGet.scheme).toBe(listener?.tls === undefined ? 'HTTP' : 'HTTPS');
    }
  });

  it('mounts all files that variables and configuration name, and no folder by a part of it', () => {
    const folders = gateway.volumeMounts.map(({ mountPath }) => `${mountPath}/`);
    const ofVariables = Object.entries(variables).flatMap(([name, value]) =>
      name.endsWith('_FILE') || name === 'GATEHOUSE_CONFIG' ? [value] : [],
    );
    const tls = config.value.listeners?.flatMap((one) => one.tls?.certificates ?? []) ?? [];
    const named = secretFilesOf(config.value, '/etc/gatehouse').map((one) => one.file);
    for (const one of [...ofVariables, ...named, ...tls.flatMap(({ cert, key }) => [cert, key])])
      expect(folders.filter((folder) => one.startsWith(folder))).toHaveLength(1);
    for (const mount of gateway.volumeMounts) expect(mount).not.toHaveProperty('subPath');
    expect(new Set(pod.volumes.map(({ name }) => name))).toEqual(
      new Set(gateway.volumeMounts.map(({ name }) => name)),
    );
  });

  it('lets nobody but the gateway read its secrets', () => {
    for (const { secret } of pod.volumes)
      if (secret !== undefined) expect(secret.defaultMode & 0o007).toBe(0);
  });

  it('has the operators’ listener ask who comes wherever it leaves loopback', () => {
    expect(environment.adminHost === '127.0.0.1' || environment.admin?.tokensFile !== undefined).toBe(true);
  });

  it('runs as nobody in particular, who may do nothing and write nowhere', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(gateway.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(ofKind(manifests, 'RoleBinding').length > 0);
  });

  it('finds its own pods, whoever looks for them', () => {
    const { labels } = spec.template.metadata;
    expect(labels).toMatchObject(spec.selector.matchLabels);
    for (const { spec: of } of ofKind(manifests, 'Service'))
      expect(labels).toMatchObject(of['selector'] as object);
    for (const { spec: of } of ofKind(manifests, 'PodDisruptionBudget'))
      expect(labels).toMatchObject((of['selector'] as { matchLabels: object }).matchLabels);
  });
});

it('services hear only the gateway, and operators’ pages only who is named', () => {
  const manifests = plainManifests('production.yaml');
  const { labels } = deploymentOf(manifests).spec.template.metadata;
  const [own, users] = ofKind(manifests, 'NetworkPolicy');
  const letIn = (users?.spec['ingress'] ?? []) as { from: { podSelector: { matchLabels: object } }[] }[];
  const peers = letIn.flatMap(({ from }) => from);
  expect(users?.metadata.namespace).toBe('shop');
  expect(peers).toHaveLength(1);
  expect(labels).toMatchObject(peers[0]?.podSelector.matchLabels as object);
  const rules = own?.spec['ingress'] as { ports: { port: string }[]; from?: object[] }[];
  const toOperators = rules.filter(({ ports }) => ports.some(({ port }) => port === 'operators'));
  expect(toOperators).toHaveLength(1);
  expect(toOperators[0]?.from).toHaveLength(1);
});
