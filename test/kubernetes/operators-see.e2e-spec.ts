import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';
import { startGateway } from '../support/gateway.ts';

const OBJECTS = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: good }
spec: { parentRefs: [{ name: edge }], hostnames: [good.test], rules: [{ backendRefs: [{ name: a, port: 80 }] }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: bad }
spec: { parentRefs: [{ name: edge }], rules: [{ sessionPersistence: {}, backendRefs: [{ name: a, port: 80 }] }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: half }
spec: { parentRefs: [{ name: edge }], rules: [{ backendRefs: [{ name: none, port: 80 }] }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: foreign }
spec: { parentRefs: [{ name: mesh }], rules: [{ backendRefs: [{ name: a, port: 80 }] }] }
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: gatehouse }
spec: { controller: gatehouse.dev/gateway }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: old }
spec: { ingressClassName: gatehouse, defaultBackend: { service: { name: none, port: { number: 80 } } } }
`;

interface Row {
  readonly name: string;
  readonly state: string;
  readonly why?: readonly string[];
}

describe('what operators see of a cluster', () => {
  let world: ClusterGateway;
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await new TestCluster().start();
    cluster.absent.add('grpcroutes');
    cluster.apply(GATEWAY, OBJECTS, ...serviceAt('a', 9));
    world = await ClusterGateway.start(cluster, { ingress: true, maxStale: '2s' });
    await cluster.until('HTTPRoute', 'good', ({ status }) => status !== undefined);
  });

  afterAll(() => world.stop());

  const page = async <Body>(path: string): Promise<{ status: number; body: Body }> => {
    const answer = await fetch(`${world.gateway.adminUrl}${path}`);
    return { status: answer.status, body: (await answer.json()) as Body };
  };
  const metrics = async (): Promise<string> => (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  const ready = async (): Promise<{ status: number; kubernetes: unknown }> => {
    const { status, body } = await world.ask('/health/ready');
    const { details = {} } = JSON.parse(body) as { details?: Record<string, unknown> };
    return { status, kubernetes: details['kubernetes'] };
  };

  /** What readiness says once it says what somebody waits for. */
  const readyOnce = async (isSo: (text: string) => boolean): ReturnType<typeof ready> => {
    let last = await ready();
    for (let tries = 0; tries < 2000 && !isSo(JSON.stringify(last)); tries += 1) {
      await sleep(5);
      last = await ready();
    }
    return last;
  };

  it('says which kinds are followed, and how many of their objects are served', async () => {
    const { status, body } = await page<Record<string, unknown>>('/kubernetes');
    expect(status).toBe(200);
    expect(body).toMatchObject({ isFollowed: true, controller: 'gatehouse.dev/gateway', isLeader: true });
    expect(body['watches']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'HTTPRoute', state: 'followed', objects: 4, ageMs: 0 }),
        expect.objectContaining({ kind: 'GRPCRoute', state: 'absent', objects: 0 }),
      ]),
    );
    expect(body['kinds']).toContainEqual({ kind: 'HTTPRoute', served: 1, refused: 1, partly: 1, ignored: 1 });
  });

  it('says of each object what became of it, and where it is wrong', async () => {
    const { body } = await page<{ total: number; rows: Row[] }>('/kubernetes/objects?kind=HTTPRoute');
    expect(body.total).toBe(4);
    const of = (name: string): Row | undefined => body.rows.find((one) => one.name === name);
    expect(of('good')).toEqual({
      kind: 'HTTPRoute',
      namespace: 'default',
      name: 'good',
      generation: 1,
      state: 'served',
    });
    expect(of('bad')).toMatchObject({
      state: 'refused',
      why: [expect.stringMatching(/^Accepted UnsupportedValue: rules\[0\]\.sessionPersistence/)],
    });
    expect(of('half')).toMatchObject({
      state: 'partly',
      why: [expect.stringMatching(/^ResolvedRefs BackendNotFound: .*none/)],
    });
    expect(of('foreign')).toMatchObject({ state: 'ignored', why: [expect.stringMatching(/^parentRefs/)] });
    const ingress = await page<{ rows: Row[] }>('/kubernetes/objects?kind=Ingress&name=old');
    expect(ingress.body.rows).toMatchObject([
      { state: 'partly', why: [expect.stringMatching(/no Service default\/none/)] },
    ]);
  });

  it('gives them page by page, and says what is wrong with a question', async () => {
    const { body } = await page<{ total: number; rows: Row[]; next?: number }>(
      '/kubernetes/objects?kind=HTTPRoute&limit=3',
    );
    expect([body.rows.length, body.next]).toEqual([3, 3]);
    const rest = await page<{ rows: Row[]; next?: number }>(
      '/kubernetes/objects?kind=HTTPRoute&limit=3&from=3',
    );
    expect([rest.body.rows.length, rest.body.next]).toEqual([1, undefined]);
    const refused = await page<{ total: number }>('/kubernetes/objects?state=refused');
    expect(refused.body.total).toBe(1);
    const wrong = await page<{ error: string }>('/kubernetes/objects?state=broken');
    expect([wrong.status, wrong.body.error]).toEqual([400, expect.stringMatching(/state/)]);
  });

  it('has metrics of it', async () => {
    const text = await metrics();
    for (const line of [
      'gatehouse_kubernetes_watch_up{kind="HTTPRoute",namespace=""} 1',
      'gatehouse_kubernetes_watch_objects{kind="HTTPRoute",namespace=""} 4',
      'gatehouse_kubernetes_objects{kind="HTTPRoute",state="refused"} 1',
      'gatehouse_kubernetes_status_writes_total{outcome="failed"} 0',
      'gatehouse_kubernetes_leader 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(
      Number(/gatehouse_kubernetes_status_writes_total\{outcome="written"\} (\d+)/.exec(text)?.[1]),
    ).toBeGreaterThan(0);
    expect(Number(/gatehouse_kubernetes_routes (\d+)/.exec(text)?.[1])).toBeGreaterThan(1);
  });

  it('counts statuses that cannot be written', async () => {
    cluster.instead = (path) => (path.endsWith('/status') ? 500 : undefined);
    cluster.apply(OBJECTS.replace('hostnames: [good.test]', 'hostnames: [better.test]'));
    let text = '';
    for (let tries = 0; tries < 1000 && !/outcome="failed"\} [1-9]/.test(text); tries += 1) {
      text = await metrics();
      await sleep(5);
    }
    expect(text).toMatch(/outcome="failed"\} [1-9]/);
    cluster.instead = undefined;
  });

  it('is told by readiness, which stays 200, when a kind has not been heard of for long', async () => {
    expect(await ready()).toEqual({ status: 200, kubernetes: { status: 'up', state: 'ok' } });
    cluster.instead = (path) => (path.includes('/secrets') ? 503 : undefined);
    cluster.cut();
    expect(await readyOnce((text) => text.includes('degraded'))).toEqual({
      status: 200,
      kubernetes: { status: 'up', state: 'degraded', stale: ['secrets in all namespaces'] },
    });
    expect(await metrics()).toContain('gatehouse_kubernetes_watch_up{kind="Secret",namespace=""} 0');
    const { body } = await page<{ watches: { kind: string; state: string; why?: string }[] }>('/kubernetes');
    expect(body.watches.find(({ kind }) => kind === 'Secret')).toMatchObject({
      state: 'stale',
      why: expect.stringMatching(/503|cannot be reached/),
    });
    cluster.instead = undefined;
    const { kubernetes } = await readyOnce((text) => !text.includes('degraded'));
    expect(kubernetes).toEqual({ status: 'up', state: 'ok' });
  });
});

describe('a gateway that follows no cluster', () => {
  it('says so, and has no metrics of one', async () => {
    const gateway = await startGateway({ config: 'version: 1\nupstreams: {}\nroutes: []\n' });
    try {
      expect(await (await fetch(`${gateway.adminUrl}/kubernetes`)).json()).toEqual({ isFollowed: false });
      const objects = await fetch(`${gateway.adminUrl}/kubernetes/objects`);
      expect(await objects.json()).toEqual({ total: 0, rows: [] });
      expect(await (await fetch(`${gateway.adminUrl}/metrics`)).text()).not.toContain('gatehouse_kubernetes');
    } finally {
      await gateway.stop();
    }
  });
});
