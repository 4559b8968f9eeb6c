import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata, status, type Client } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { TestCluster } from '../support/cluster.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { grpcClient, unary, type UnaryOutcome } from '../support/pass-gateway.ts';

const SERVICE = 'test.v1.Kinds';
const to = (...names: readonly (string | readonly [string, number])[]): object => ({
  backendRefs: names.map((one) =>
    typeof one === 'string' ? { name: one, port: 80 } : { name: one[0], port: 80, weight: one[1] },
  ),
});

/** The rules of one GRPCRoute: which header fields or method lead where. */
const RULES = [
  {
    matches: [{ method: { service: SERVICE, method: 'Echo' }, headers: [{ name: 'x-to', value: 'b' }] }],
    ...to('b'),
  },
  {
    matches: [
      {
        method: { service: SERVICE, method: 'Echo' },
        headers: [{ name: 'x-to', type: 'RegularExpression', value: 'both-[0-9]+' }],
      },
    ],
    ...to(['a', 1], ['b', 3]),
  },
  {
    matches: [{ method: { service: SERVICE, method: 'Echo' }, headers: [{ name: 'x-to', value: 'half' }] }],
    ...to(['a', 1], ['nowhere', 1]),
  },
  {
    matches: [{ method: { service: SERVICE, method: 'Echo' }, headers: [{ name: 'x-to', value: 'none' }] }],
    ...to('nowhere'),
  },
  {
    matches: [{ method: { service: SERVICE, method: 'Echo' }, headers: [{ name: 'x-to', value: 'zero' }] }],
    ...to(['a', 0]),
  },
  {
    matches: [{ method: { service: SERVICE, method: 'Echo' }, headers: [{ name: 'x-to', value: 'edited' }] }],
    filters: [
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { set: [{ name: 'x-set', value: 'here' }], remove: ['x-gone'] },
      },
    ],
    ...to('a'),
  },
  { matches: [{ method: { service: SERVICE, method: 'Echo' } }], ...to('a') },
  {
    matches: [{ method: { type: 'RegularExpression', service: 'test\\.v1\\.Kinds', method: 'Shap.*' } }],
    ...to('b'),
  },
];

const ROUTES = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: 'kinds' },
    spec: { parentRefs: [{ name: 'edge' }], rules: RULES },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: 'whole' },
    spec: {
      parentRefs: [{ name: 'edge' }],
      hostnames: ['whole.test'],
      rules: [{ matches: [{ method: { service: SERVICE } }], ...to('b') }],
    },
  },
];

describe('a GRPCRoute', () => {
  const services = { a: new KindsServer(), b: new KindsServer() };
  let world: ClusterGateway;
  let client: Client;

  beforeAll(async () => {
    const cluster = await new TestCluster().start();
    cluster.apply(GATEWAY);
    for (const [name, server] of Object.entries(services)) {
      await server.start();
      cluster.apply(...serviceAt(name, Number(new URL(server.url).port)));
    }
    cluster.apply(...ROUTES);
    world = await ClusterGateway.start(cluster, {}, { listeners: [{ port: 0, http2: true }] });
    client = grpcClient(world.gateway.gateway.urls[0] ?? '');
    for (let tries = 0; tries < 1000 && (await unary(client)).code !== status.OK; tries += 1) await sleep(5);
  });

  beforeEach(() => {
    services.a.reset();
    services.b.reset();
  });

  afterAll(async () => {
    client.close();
    await world.stop();
    services.a.stop();
    services.b.stop();
  });

  const call = (to: string | undefined, more: object = {}): Promise<UnaryOutcome> =>
    unary(client, { fields: { ...(to !== undefined && { 'x-to': to }), ...more } });

  it('takes calls by service and method, answer and status included', async () => {
    const { code, bytes } = await unary(client, { bytes: Buffer.from('hello') });
    expect([code, bytes?.toString(), services.a.calls, services.b.calls]).toEqual([status.OK, 'hello', 1, 0]);
    services.a.refusal = { code: status.NOT_FOUND, details: 'no such kind', metadata: new Metadata() };
    expect(await call(undefined)).toMatchObject({ code: status.NOT_FOUND, details: 'no such kind' });
  });

  it('takes calls by header fields, exactly and by expressions', async () => {
    expect((await call('b')).code).toBe(status.OK);
    expect([services.a.calls, services.b.calls]).toEqual([0, 1]);
    await call('both-x');
    expect([services.a.calls, services.b.calls]).toEqual([1, 1]);
  });

  it('takes calls by an expression of their method', async () => {
    await unary(client, { path: `/${SERVICE}/Shapely` });
    expect([services.a.calls, services.b.calls]).toEqual([0, 0]);
    const { code, details } = await unary(client, { path: `/${SERVICE}/Shapely` });
    // The service itself has no such method: it was asked.
    expect([code, details]).toEqual([status.UNIMPLEMENTED, expect.stringContaining('Shapely')]);
    expect((await unary(client, { path: `/${SERVICE}/Other` })).details).not.toContain('Other');
  });

  it('shares calls by weight, exactly', async () => {
    for (let round = 0; round < 12; round += 1) expect((await call(`both-${round}`)).code).toBe(status.OK);
    expect([services.a.calls, services.b.calls]).toEqual([3, 9]);
  });

  it('answers UNAVAILABLE for the share that leads nowhere, and for all where all of it does', async () => {
    const codes: number[] = [];
    for (let round = 0; round < 4; round += 1) codes.push((await call('half')).code);
    expect(codes.toSorted((a, b) => a - b)).toEqual([0, 0, status.UNAVAILABLE, status.UNAVAILABLE]);
    expect((await call('none')).code).toBe(status.UNAVAILABLE);
    expect((await call('zero')).code).toBe(status.UNAVAILABLE);
    const route = await world.cluster.until('GRPCRoute', 'kinds', (one) => one.status !== undefined);
    expect(JSON.stringify(route.status)).toMatch(
      /"ResolvedRefs","status":"False","reason":"BackendNotFound"/,
    );
  });

  it('edits header fields as it says', async () => {
    await call('edited', { 'x-gone': 'x' });
    expect(services.a.lastMetadata?.get('x-set')).toEqual(['here']);
    expect(services.a.lastMetadata?.get('x-gone')).toEqual([]);
  });

  it('is served at its hosts only', async () => {
    const { port } = new URL(world.gateway.gateway.urls[0] ?? '');
    const named = grpcClient(`http://127.0.0.1:${port}`, { 'grpc.default_authority': 'whole.test' });
    expect((await unary(named)).code).toBe(status.OK);
    expect([services.a.calls, services.b.calls]).toEqual([0, 1]);
    named.close();
  });
});
