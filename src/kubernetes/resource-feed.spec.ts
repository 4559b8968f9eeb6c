import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { collectionOf, KINDS, type Kind } from './kinds.ts';
import { ResourceFeed } from './resource-feed.ts';
import { FollowedTestCluster, until } from './test-cluster.fixture.ts';

const KIND = KINDS.find(({ kind }) => kind === 'HTTPRoute') as Kind;
const routeOf = (name: string, spec: object = {}): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec,
});

describe('ResourceFeed', () => {
  let world: FollowedTestCluster;
  let feed: ResourceFeed;
  let told: string[];

  const feedOf = (absentAfterMs: number): ResourceFeed =>
    new ResourceFeed({
      api: world.api,
      kind: KIND,
      collection: collectionOf(KIND),
      absentAfterMs,
      changed: () => told.push('changed'),
      failed: (why) => told.push(why),
      lost: (objects) => told.push(`lost ${objects}`),
      found: () => told.push('found'),
      random: () => 0.02,
    });

  beforeEach(async () => {
    told = [];
    world = await FollowedTestCluster.start();
    world.cluster.apply(routeOf('one'));
    feed = feedOf(150);
  });

  afterEach(async () => {
    await feed.stop();
    world.stop();
  });

  const names = (): string[] => [...feed.items.keys()].toSorted();
  /** Whether it asks again and again, and what it has is what it had. */
  const failsOn = async (): Promise<void> => {
    const before = told.length;
    await until(() => told.length > before + 2);
    expect(names()).toEqual(['default/one']);
  };

  it('lists, and follows what changes', async () => {
    feed.start();
    await until(() => feed.isKnown);
    expect(names()).toEqual(['default/one']);
    world.cluster.apply(routeOf('two'));
    await until(() => feed.items.size === 2);
    world.cluster.apply(routeOf('one', { hostnames: ['a.test'] }));
    await until(() => feed.items.get('default/one')?.generation === 2);
    world.cluster.delete('HTTPRoute', 'two');
    await until(() => feed.items.size === 1);
    expect([feed.fault, feed.ageMs, feed.isAbsent]).toEqual([undefined, 0, false]);
  });

  it('keeps what it knows while lists are answered with 404 and discovery names the kind', async () => {
    feed.start();
    await until(() => feed.isKnown);
    world.cluster.instead = (path) => (path.endsWith('/httproutes') ? 404 : undefined);
    world.cluster.cut();
    await until(() => told.some((one) => one.includes('names the kind all the same')));
    await failsOn();
    await failsOn();
    expect(feed.ageMs).toBeGreaterThan(0);
    world.cluster.instead = undefined;
    world.cluster.apply(routeOf('two'));
    await until(() => feed.items.size === 2 && feed.fault === undefined);
    expect(told.filter((one) => one.startsWith('lost'))).toEqual([]);
  });

  it('keeps it while discovery has forgotten the kind for a moment', async () => {
    await feed.stop();
    feed = feedOf(60_000 / 400);
    feed.start();
    await until(() => feed.isKnown);
    world.cluster.absent.add('httproutes');
    world.cluster.cut();
    await until(() => told.some((one) => one.includes('no such kind')));
    world.cluster.absent.clear();
    await until(() => feed.fault === undefined);
    expect([names(), feed.isAbsent]).toEqual([['default/one'], false]);
    expect(told.filter((one) => one.startsWith('lost'))).toEqual([]);
  });

  it('gives it up when the kind is gone for long, says so once', async () => {
    feed.start();
    await until(() => feed.isKnown);
    world.cluster.absent.add('httproutes');
    world.cluster.cut();
    await until(() => feed.isAbsent);
    expect([feed.items.size, feed.fault]).toEqual([0, undefined]);
    expect(told.filter((one) => one.startsWith('lost'))).toEqual(['lost 1']);
  });

  it('knows at once that a kind which was never there is not', async () => {
    world.cluster.absent.add('httproutes');
    feed.start();
    await until(() => feed.isKnown);
    expect([feed.isAbsent, feed.items.size]).toEqual([true, 0]);
    expect(told).toEqual(['changed']);
  });

  it('does not take a kind for missing at the start that discovery names', async () => {
    world.cluster.instead = (path) => (path.endsWith('/httproutes') ? 404 : undefined);
    feed.start();
    await until(() => told.length > 2);
    expect([feed.isKnown, feed.isAbsent]).toEqual([false, false]);
    world.cluster.instead = undefined;
    await until(() => feed.isKnown);
    expect(names()).toEqual(['default/one']);
  });
});
