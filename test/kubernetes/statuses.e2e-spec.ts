import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster, type ClusterObject } from '../support/cluster.ts';

type Conditions = readonly {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}[];

const routeOf = (name: string, spec: object): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: { parentRefs: [{ name: 'edge' }], hostnames: [`${name}.test`], ...spec },
});

const ruleOf = (rule: object): object => ({ rules: [{ backendRefs: [{ name: 'a', port: 80 }], ...rule }] });

/** What an HTTPRoute says, and which of its conditions says what about it. */
const ROWS: readonly (readonly [
  string,
  object,
  type: string,
  status: string,
  reason: string,
  message: RegExp,
])[] = [
  ['good', ruleOf({}), 'Accepted', 'True', 'Accepted', /^$/],
  [
    'session',
    ruleOf({ sessionPersistence: {} }),
    'Accepted',
    'False',
    'UnsupportedValue',
    /rules\[0\]\.sessionPersistence/,
  ],
  [
    'backoff',
    ruleOf({ retry: { backoff: '1s' } }),
    'Accepted',
    'False',
    'UnsupportedValue',
    /rules\[0\]\.retry\.backoff/,
  ],
  ['codes', ruleOf({ retry: { codes: [418] } }), 'Accepted', 'False', 'UnsupportedValue', /retry\.on/],
  [
    'extension',
    ruleOf({ filters: [{ type: 'ExtensionRef', extensionRef: {} }] }),
    'Accepted',
    'False',
    'UnsupportedValue',
    /filters\[0\]\.extensionRef/,
  ],
  [
    'expression',
    ruleOf({ matches: [{ path: { type: 'RegularExpression', value: '/(a/b)+' } }] }),
    'Accepted',
    'False',
    'UnsupportedValue',
    /matches\[0\]\.path/,
  ],
  [
    'forged',
    ruleOf({
      filters: [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: { set: [{ name: 'X-User-Id', value: '1' }] },
        },
      ],
    }),
    'Accepted',
    'False',
    'UnsupportedValue',
    /X-User-Id/i,
  ],
  [
    'nobody',
    { rules: [{ backendRefs: [{ name: 'nobody', port: 80 }] }] },
    'ResolvedRefs',
    'False',
    'BackendNotFound',
    /nobody/,
  ],
  [
    'port',
    { rules: [{ backendRefs: [{ name: 'a', port: 81 }] }] },
    'ResolvedRefs',
    'False',
    'BackendNotFound',
    /port 81/,
  ],
  [
    'kind',
    { rules: [{ backendRefs: [{ name: 'a', kind: 'Bucket', port: 80 }] }] },
    'ResolvedRefs',
    'False',
    'InvalidKind',
    /Bucket/,
  ],
  [
    'foreign',
    { rules: [{ backendRefs: [{ name: 'c', namespace: 'other', port: 80 }] }] },
    'ResolvedRefs',
    'False',
    'RefNotPermitted',
    /ReferenceGrant/,
  ],
  [
    'section',
    { ...ruleOf({}), parentRefs: [{ name: 'edge', sectionName: 'none' }] },
    'Accepted',
    'False',
    'NoMatchingParent',
    /listener/,
  ],
  [
    'closed',
    { ...ruleOf({}), parentRefs: [{ name: 'closed' }] },
    'Accepted',
    'False',
    'NotAllowedByListeners',
    /HTTPRoute/,
  ],
  [
    'host',
    { ...ruleOf({}), parentRefs: [{ name: 'hosted' }] },
    'Accepted',
    'False',
    'NoMatchingListenerHostname',
    /hostnames/,
  ],
];

const GATEWAYS = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: closed }
spec:
  gatewayClassName: gatehouse
  listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { kinds: [{ kind: GRPCRoute }] } }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: hosted }
spec:
  gatewayClassName: gatehouse
  listeners: [{ name: http, port: 80, protocol: HTTP, hostname: only.example }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: odd }
spec:
  gatewayClassName: gatehouse
  listeners:
    - { name: port, port: 81, protocol: HTTP }
    - { name: tcp, port: 80, protocol: TCP }
    - { name: tls, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: none }] } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: others }
spec: { gatewayClassName: somebody, listeners: [{ name: http, port: 80, protocol: HTTP }] }
`;

const parentsOf = ({ status }: ClusterObject): readonly object[] => (status?.['parents'] ?? []) as object[];

const conditionsOf = ({ status }: ClusterObject): Conditions =>
  ((status?.['parents'] as { conditions: Conditions }[] | undefined)?.[0]?.conditions ?? []) as Conditions;

describe('statuses of objects', () => {
  let world: ClusterGateway;
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await new TestCluster().start();
    cluster.apply(GATEWAY, GATEWAYS, ...serviceAt('a', 9), ...serviceAt('c', 9, 'other'));
    for (const [name, spec] of ROWS) cluster.apply(routeOf(name, spec));
    world = await ClusterGateway.start(cluster, { addresses: ['192.0.2.1', 'edge.example'] });
  });

  afterAll(() => world.stop());

  it.each(ROWS)('%s', async (name, _spec, type, status, reason, message) => {
    const route = await cluster.until('HTTPRoute', name, (one) => one.status !== undefined);
    const condition = conditionsOf(route).find((one) => one.type === type);
    expect(condition).toMatchObject({ status, reason });
    expect(condition?.message).toMatch(message);
  });

  it('counts the routes of listeners and names addresses', async () => {
    const { status } = await cluster.until('Gateway', 'edge', (one) => one.status !== undefined);
    expect(status).toMatchObject({
      addresses: [
        { type: 'IPAddress', value: '192.0.2.1' },
        { type: 'Hostname', value: 'edge.example' },
      ],
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'Programmed', status: 'True' },
      ],
    });
    const [listener] = (status ?? {})['listeners'] as { attachedRoutes: number }[];
    expect(listener?.attachedRoutes).toBeGreaterThan(4);
  });

  it('says of each listener why it is not served', async () => {
    const { status } = await cluster.until('Gateway', 'odd', (one) => one.status !== undefined);
    const listeners = status?.['listeners'] as { name: string; conditions: Conditions }[];
    const said = listeners.map(({ name, conditions }) => [
      name,
      ...conditions
        .filter((one) => one.status === 'False' && one.type !== 'Conflicted')
        .map(({ type, reason }) => `${type} ${reason}`),
    ]);
    expect(said).toEqual([
      ['port', 'Accepted PortUnavailable', 'Programmed Invalid'],
      ['tcp', 'Accepted UnsupportedProtocol', 'Programmed Invalid'],
      ['tls', 'Accepted PortUnavailable', 'Programmed Invalid', 'ResolvedRefs InvalidCertificateRef'],
    ]);
  });

  it('leaves alone what is not ours, and what others have said of what is', async () => {
    expect(cluster.get('Gateway', 'others')?.status).toBeUndefined();
    const others = { parentRef: { name: 'mesh' }, controllerName: 'somebody.example/else', conditions: [] };
    const good = cluster.get('HTTPRoute', 'good') as ClusterObject;
    const ours = good.status?.['parents'] as object[];
    cluster.apply({
      ...good,
      spec: { ...good.spec, hostnames: ['good2.test'] },
      status: { parents: [others, ...ours] },
    });
    const { status } = await cluster.until(
      'HTTPRoute',
      'good',
      (one) =>
        (
          conditionsOf({
            ...one,
            status: { parents: [(one.status?.['parents'] as object[] | undefined)?.[1]] },
          })[0] as unknown as { observedGeneration: number }
        ).observedGeneration === 2,
    );
    expect(status?.['parents']).toMatchObject([others, { controllerName: 'gatehouse.dev/gateway' }]);
  });

  it('takes back what it has said of a route that goes to another Gateway', async () => {
    const host = cluster.get('HTTPRoute', 'kind') as ClusterObject;
    const others = { parentRef: { name: 'mesh' }, controllerName: 'somebody.example/else', conditions: [] };
    cluster.apply({
      ...host,
      spec: { ...host.spec, parentRefs: [{ name: 'others' }] },
      status: { parents: [others, ...parentsOf(host)] },
    });
    const { status } = await cluster.until('HTTPRoute', 'kind', (one) => parentsOf(one).length === 1);
    expect(status).toEqual({ parents: [others] });
  });

  it('writes nothing that is there already', async () => {
    await sleep(300);
    const writes = (): number => cluster.asked.filter((one) => one.startsWith('PATCH')).length;
    const before = writes();
    cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'more' } });
    await sleep(300);
    expect(writes()).toBe(before);
  });
});
