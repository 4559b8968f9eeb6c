import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { KUBERNETES } from '../../scripts/kubernetes-tools.ts';
import { renderChart } from '../../scripts/render-chart.ts';
import { configText, deploymentOf, manifestsIn, ofKind, type Manifest } from './manifests.ts';

const CONFIG = { config: { text: 'version: 1\nroutes: []\n' } };
const BASE = { ...CONFIG, redis: { url: 'redis://redis:6379' } };

function render(values: object): { readonly manifests: readonly Manifest[]; readonly stderr: string } {
  const { status, stdout, stderr } = renderChart(['--values', '-'], KUBERNETES[1], stringify(values));
  if (status !== 0) return { manifests: [], stderr };
  return { manifests: manifestsIn(stdout), stderr };
}

describe('the schema of values', () => {
  it.each([
    [{ replicas: 3 }, "additional properties 'replicas' not allowed"],
    [{ admin: { expose: true } }, "at '/admin': additional properties 'expose' not allowed"],
    [{ redis: { passwordSecret: { nam: 'x' } } }, "additional properties 'nam' not allowed"],
    [{ drain: { delay: '10' } }, "at '/drain/delay': '10' does not match pattern"],
    [{ drain: { delay: 10 } }, "at '/drain/delay': got number, want string"],
    [{ replicaCount: '3' }, "at '/replicaCount': got string, want integer"],
    [{ port: 99_999 }, "at '/port'"],
    [{ logLevel: 'verbose' }, "at '/logLevel': value must be one of"],
    [{ workers: 'many' }, "at '/workers'"],
    [{ redis: { url: 'http://redis' } }, "at '/redis/url'"],
    [{ probes: { liveness: { httpGet: {} } } }, "additional properties 'httpGet' not allowed"],
    [{ image: { digest: 'latest' } }, "at '/image/digest'"],
    [{ config: { ...CONFIG.config, files: { 'a: b\n---\nkind': '' } } }, 'invalid propertyName'],
    [{ secrets: [{ name: 'a' }] }, "missing property 'secretName'"],
    [{ networkPolicy: { clients: [{ pods: {} }] } }, "additional properties 'pods' not allowed"],
    [{ rbac: { rules: [{ resource: ['a'] }] } }, "additional properties 'resource' not allowed"],
    [{ terminationGracePeriodSeconds: '60s' }, "at '/terminationGracePeriodSeconds'"],
  ])('refuses %j', (values, message) => {
    const { stderr } = render({ ...BASE, ...values });
    expect(stderr).toContain("values don't meet the specifications of the schema");
    expect(stderr).toContain(message);
  });
});

describe('what would start and not be meant', () => {
  it.each<[object, string]>([
    [{ ...BASE, config: {} }, 'config.text: expected the configuration file'],
    [
      { ...BASE, config: { ...CONFIG.config, existingConfigMap: 'a' } },
      'config.existingConfigMap: expected no text',
    ],
    [
      { ...BASE, config: { ...CONFIG.config, files: { 'gateway.yaml': '' } } },
      'config.files: gateway.yaml is what config.text is called',
    ],
    [
      { ...BASE, terminationGracePeriodSeconds: 55 },
      'terminationGracePeriodSeconds: expected 56 at least, given 55: with drain.delay 10s and drain.timeout 30s',
    ],
    [{ ...BASE, drain: { delay: '2h' } }, 'drain.delay: expected at most 1h'],
    [CONFIG, 'redis: expected redis.url or redis.urlSecret.name beside more than one pod'],
    [
      { ...CONFIG, replicaCount: 1, workers: 2 },
      'workers: expected redis.url or redis.urlSecret.name beside more than one worker',
    ],
    [
      { ...CONFIG, replicaCount: 1, workers: 'auto', redis: { required: false } },
      'workers: expected redis.url',
    ],
    [
      { ...CONFIG, replicaCount: 1, autoscaling: { enabled: true } },
      'redis: expected redis.url or redis.urlSecret.name beside more than one pod',
    ],
    [{ ...CONFIG, redis: { url: 'redis://u:hunter2@one' } }, 'redis.url: expected no password in it'],
    [
      { ...CONFIG, redis: { url: 'redis://one', urlSecret: { name: 'a' } } },
      'redis.urlSecret: expected one of redis.url and redis.urlSecret',
    ],
    [
      { ...CONFIG, redis: { url: 'redis://one', tls: { secretName: 'a' } } },
      'redis.tls: expected redis.url to begin with rediss',
    ],
    [
      { ...CONFIG, redis: { url: 'redis://one', sentinel: { username: 'a' } } },
      'redis.sentinel: expected redis.url to begin with redis+sentinel',
    ],
    [
      { ...BASE, admin: { exposed: true } },
      'admin.tokensSecret.name: expected a Secret with the file of tokens',
    ],
    [{ ...BASE, admin: { tls: { clientCa: true } } }, 'admin.tls.clientCa: expected admin.tls.secretName'],
    [{ ...BASE, serviceMonitor: { enabled: true } }, 'serviceMonitor.enabled: expected admin.exposed'],
    [
      { ...BASE, admin: { exposed: true, tokensSecret: { name: 'a' } }, serviceMonitor: { enabled: true } },
      'networkPolicy.operators: expected who may call',
    ],
    [
      { ...BASE, autoscaling: { enabled: true, minReplicas: 20 } },
      'autoscaling.minReplicas: expected no more',
    ],
    [{ ...BASE, autoscaling: { enabled: true, cpu: null } }, 'autoscaling: expected cpu or requestsInFlight'],
    [
      { ...BASE, autoscaling: { enabled: true }, resources: { requests: { cpu: null } } },
      'autoscaling.cpu: expected resources.requests.cpu',
    ],
    [
      { ...BASE, autoscaling: { enabled: true, requestsInFlight: 100 } },
      'autoscaling.requestsInFlight: expected admin.exposed',
    ],
    [
      { ...BASE, rbac: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] } },
      'rbac.rules: expected rbac.create',
    ],
    [
      { ...BASE, probes: { port: 'https' } },
      'probes.port: expected http or a name of service.extraPorts, given https',
    ],
    [
      { ...BASE, service: { extraPorts: [{ name: 'http', port: 1, targetPort: 2 }] } },
      'service.extraPorts: expected names that differ',
    ],
    [
      { ...BASE, service: { extraPorts: [{ name: 'more', port: 9080, targetPort: 9080 }] } },
      "service.extraPorts: more leads to admin.port, the operators' listener",
    ],
    [{ ...BASE, admin: { port: 8080 } }, 'admin.port: expected another port than port'],
    [
      { ...BASE, env: [{ name: 'DRAIN_DELAY', value: '1s' }] },
      'env: DRAIN_DELAY is set by a value of its own',
    ],
  ])('%j is refused', (values, message) => {
    const { stderr } = render(values);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hunter2');
  });

  it('is told all at once', () => {
    const { stderr } = render({ admin: { exposed: true } });
    for (const key of ['config.text: ', 'redis: ', 'admin.tokensSecret.name: '])
      expect(stderr).toContain(key);
  });
});

describe('what is accepted', () => {
  it.each([
    ['250ms', '0s', 7],
    ['1.5s', '2s', 11],
    ['10s', '30s', 56],
    ['1m', '5m', 426],
  ])('a drain of %s and %s gets %d s', (delay, timeout, seconds) => {
    const { manifests, stderr } = render({ ...BASE, drain: { delay, timeout } });
    expect(stderr).toBe('');
    expect(deploymentOf(manifests).spec.template.spec.terminationGracePeriodSeconds).toBe(seconds);
  });

  it('a grace period that is long enough', () => {
    const { manifests } = render({ ...BASE, terminationGracePeriodSeconds: 120 });
    expect(deploymentOf(manifests).spec.template.spec.terminationGracePeriodSeconds).toBe(120);
  });

  it('several pods without Redis, where that is said to be meant', () => {
    expect(render({ ...CONFIG, redis: { required: false } }).stderr).toBe('');
  });

  it('one pod is no reason for a budget of disruptions', () => {
    const { manifests } = render({ ...CONFIG, replicaCount: 1 });
    expect(ofKind(manifests, 'PodDisruptionBudget')).toEqual([]);
  });

  it('a configuration of any text: leading blanks, blank lines, templates', () => {
    const text = '  version: 1\n\n# {{ .Values }} ${HOME}\n\troutes: []\n';
    expect(configText(render({ ...BASE, config: { text } }).manifests)).toBe(text);
  });

  it('an operators’ listener that is reached by whoever is named, with a token', () => {
    const operators = [{ podSelector: { matchLabels: { app: 'prometheus' } } }];
    const { manifests } = render({
      ...BASE,
      admin: { exposed: true, tokensSecret: { name: 'tokens' } },
      networkPolicy: { operators },
    });
    const [gateway] = deploymentOf(manifests).spec.template.spec.containers;
    expect(gateway.env).toEqual(
      expect.arrayContaining([
        { name: 'ADMIN_HOST', value: '0.0.0.0' },
        { name: 'ADMIN_TOKENS_FILE', value: '/run/gatehouse/operators/tokens.yaml' },
      ]),
    );
    const [policy] = ofKind(manifests, 'NetworkPolicy');
    expect(policy?.spec['ingress']).toContainEqual({ ports: [{ port: 'operators' }], from: operators });
  });

  it('rights are granted in the namespaces that are named, to one account', () => {
    const rules = [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['watch'] }];
    const { manifests } = render({
      ...BASE,
      rbac: { create: true, namespaces: ['shop', 'pay'], rules, clusterRules: rules },
    });
    expect(ofKind(manifests, 'Role').map(({ metadata }) => metadata.namespace)).toEqual(['shop', 'pay']);
    expect(ofKind(manifests, 'ClusterRoleBinding')).toHaveLength(1);
    expect(deploymentOf(manifests).spec.template.spec.automountServiceAccountToken).toBe(true);
  });
});
