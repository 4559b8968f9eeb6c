import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WatchView } from '../snapshot/followed-cluster.ts';
import { ClusterFeeds } from './cluster-feeds.ts';
import { FollowedTestCluster, until } from './test-cluster.fixture.ts';

const route = (name: string, namespace: string, creationTimestamp: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace, creationTimestamp },
  spec: {},
});

describe('ClusterFeeds', () => {
  let world: FollowedTestCluster;
  let feeds: ClusterFeeds;

  const start = (more: object = {}): ClusterFeeds => {
    feeds = new ClusterFeeds({
      api: world.api,
      gatewayApi: true,
      ingress: false,
      absentAfterMs: 60_000,
      maxStaleMs: 100,
      changed: () => undefined,
      failed: () => undefined,
      lost: () => undefined,
      found: () => undefined,
      ...more,
    });
    feeds.start();
    return feeds;
  };

  beforeEach(async () => {
    world = await FollowedTestCluster.start();
    world.cluster.apply(
      route('b', 'shop', '2026-01-01T00:00:00Z'),
      route('a', 'stock', '2026-01-02T00:00:00Z'),
    );
  });

  afterEach(async () => {
    await feeds.stop();
    world.stop();
  });

  it('awaits each kind until it was listed', async () => {
    start();
    expect(feeds.awaited).toContain('httproutes of gateway.networking.k8s.io in all namespaces');
    expect(feeds.watches.every(({ state }) => state === 'awaited')).toBe(true);
    await until(() => feeds.awaited.length === 0);
    expect(new Set(feeds.watches.map(({ state }) => state))).toEqual(new Set(['followed']));
  });

  it('has all of a kind, the older first, whatever namespaces they are followed in', async () => {
    start({ namespaces: ['stock', 'shop'] });
    await until(() => feeds.awaited.length === 0);
    expect(feeds.all('HTTPRoute').map(({ name }) => name)).toEqual(['b', 'a']);
    expect([feeds.get('HTTPRoute', 'shop', 'b')?.name, feeds.get('HTTPRoute', 'shop', 'a')]).toEqual([
      'b',
      undefined,
    ]);
    world.cluster.apply(route('c', 'shop', '2025-01-01T00:00:00Z'));
    await until(() => feeds.all('HTTPRoute').length === 3);
    expect(feeds.all('HTTPRoute')[0]?.name).toBe('c');
  });

  it('calls stale what has not been heard for long, and says why', async () => {
    start();
    await until(() => feeds.awaited.length === 0);
    world.cluster.instead = (path) => (path.endsWith('/services') ? 503 : undefined);
    world.cluster.cut();
    const ofServices = (): WatchView | undefined => feeds.watches.find(({ kind }) => kind === 'Service');
    await until(() => ofServices()?.state === 'stale' && /503/.test(ofServices()?.why ?? ''));
    expect(ofServices()?.ageMs).toBeGreaterThan(100);
    world.cluster.instead = undefined;
    await until(() => ofServices()?.state === 'followed');
    expect(ofServices()).toMatchObject({ ageMs: 0 });
  });

  it('follows what is asked for, and nothing else', () => {
    start({ gatewayApi: false, ingress: true });
    const kinds = feeds.watches.map(({ kind }) => kind);
    expect(kinds).toEqual(['Ingress', 'IngressClass', 'GatehousePolicy', 'Service', 'Secret']);
  });
});
