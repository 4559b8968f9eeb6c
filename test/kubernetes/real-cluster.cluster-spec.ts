import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterGateway, GATEWAY, serviceAt } from '../support/cluster-gateway.ts';
import { KubeApiServer } from '../support/kube-apiserver.ts';

const GROUP = '/apis/gateway.networking.k8s.io/v1';
const RIGHTS = join(import.meta.dirname, '../../deploy/kubernetes/gateway-api/rbac.yaml');

const routeOf = (name: string, host = name): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: {
    parentRefs: [{ name: 'edge' }],
    hostnames: [`${host}.test`],
    rules: [{ name: 'all', backendRefs: [{ name: 'users', port: 80 }] }],
  },
});

const conditions = ({ status }: Record<string, unknown>): string => JSON.stringify(status ?? {});

describe('a real API server', () => {
  jest.setTimeout(180_000);
  let service: Server;
  let cluster: KubeApiServer;
  let world: ClusterGateway<KubeApiServer>;

  beforeAll(async () => {
    service = createServer((request, response) => response.end(`users ${request.url}`));
    await once(service.listen(0, '0.0.0.0'), 'listening');
    cluster = await new KubeApiServer().start();
    await cluster.define();
    const { port } = service.address() as AddressInfo;
    // Loopback is no address of a pod: https://github.com/kubernetes/kubernetes, validation of endpoints.
    const [own, slice] = serviceAt('users', port, 'default', [ownAddress()]) as [object, object];
    await cluster.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gatehouse' } },
      readFileSync(RIGHTS, 'utf8'),
      GATEWAY,
      own,
      slice,
      routeOf('users', 'api'),
    );
    world = await ClusterGateway.start(cluster, { ingress: true, absentAfter: '2s' });
  });

  afterAll(async () => {
    await world.stop();
    service.closeAllConnections();
    service.close();
  });

  it('is followed with the rights of the file, and no others', async () => {
    const { body } = await world.until(({ status }) => status === 200, '/7', { host: 'api.test' });
    expect(body).toBe('users /7');
  });

  it('takes the statuses that are written, by its own schemas', async () => {
    for (const [path, wanted] of [
      [`${GROUP}/gatewayclasses/gatehouse`, '"Accepted"'],
      [`${GROUP}/namespaces/default/gateways/edge`, '"attachedRoutes":1'],
      [`${GROUP}/namespaces/default/httproutes/users`, '"controllerName":"gatehouse.dev/gateway"'],
    ] as const)
      // A definition may say `Unknown` before anybody else has said something.
      await cluster.until(path, (one) =>
        [wanted, '"status":"True"'].every((text) => conditions(one).includes(text)),
      );
    expect(
      world.gateway.lines.filter(({ msg }) => msg === 'the status of an object cannot be written'),
    ).toEqual([]);
  });

  it('keeps what it cannot check of a GatehousePolicy, and the gateway refuses it', async () => {
    const policy = (policies: object): object => ({
      apiVersion: 'gatehouse.dev/v1',
      kind: 'GatehousePolicy',
      metadata: { name: 'users' },
      spec: {
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'users' }],
        policies,
      },
    });
    const path = '/apis/gatehouse.dev/v1/namespaces/default/gatehousepolicies/users';
    await cluster.apply(policy({ ipAccess: { deny: ['127.0.0.0/8'] } }));
    await world.until(({ status }) => status === 403, '/7', { host: 'api.test' });
    await cluster.apply(policy({ ipAcess: { deny: ['127.0.0.0/8'] } }));
    await world.until(({ status }) => status === 500, '/7', { host: 'api.test' });
    await cluster.until(path, (one) => conditions(one).includes('ipAcess'));
    expect((await cluster.ask('DELETE', path)).status).toBe(200);
    await world.until(({ status }) => status === 200, '/7', { host: 'api.test' });
  });

  it('serves what it knows while the API server restarts, and follows it afterwards', async () => {
    const states = new Set<string>();
    const isServed = async (): Promise<boolean> =>
      (await world.ask('/7', { host: 'api.test' })).status === 200;
    const restarted = cluster.restart();
    let isBack = false;
    void restarted.finally(() => (isBack = true));
    while (!isBack) {
      expect(await isServed()).toBe(true);
      for (const { state } of await watches()) states.add(state);
      await sleep(50);
    }
    await restarted;
    expect([...states]).toContain('failing');
    await cluster.apply(routeOf('later'));
    await world.until(({ status }) => status === 200, '/7', { host: 'later.test' });
    expect(await isServed()).toBe(true);
    for (
      let tries = 0;
      tries < 600 && (await watches()).some(({ state }) => state !== 'followed');
      tries += 1
    )
      await sleep(50);
    expect((await watches()).filter(({ state }) => state !== 'followed')).toEqual([]);
  });

  it('gives up a kind whose definition is removed, by the word of discovery', async () => {
    const definition =
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/grpcroutes.gateway.networking.k8s.io';
    expect((await cluster.ask('DELETE', definition)).status).toBe(200);
    const stateOf = async (): Promise<string | undefined> =>
      (await watches()).find(({ kind }) => kind === 'GRPCRoute')?.state;
    for (let tries = 0; tries < 600 && (await stateOf()) !== 'absent'; tries += 1) await sleep(50);
    expect(await stateOf()).toBe('absent');
    expect((await world.ask('/7', { host: 'api.test' })).status).toBe(200);
  });

  const watches = async (): Promise<readonly { kind: string; state: string }[]> => {
    const answer = await fetch(`${world.gateway.adminUrl}/kubernetes`);
    return ((await answer.json()) as { watches: { kind: string; state: string }[] }).watches;
  };
});

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
