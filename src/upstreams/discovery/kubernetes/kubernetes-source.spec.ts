import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../grpc/call.fixture.ts';
import { discoverySchema } from '../discovery.schema.ts';
import type { Known } from '../discovery-source.ts';
import { FakeCluster, refuse, slice } from './kubernetes.fixture.ts';
import { KubernetesSource } from './kubernetes-source.ts';
import { LONGEST_WATCH_MS } from './slices-api.ts';

let cluster: FakeCluster;
let folder: string;
let made: KubernetesSource[];

beforeEach(async () => {
  made = [];
  cluster = await new FakeCluster().start();
  folder = mkdtempSync(join(tmpdir(), 'cluster-'));
});
afterEach(() => {
  for (const source of made) source.close();
  cluster.stop();
  rmSync(folder, { recursive: true });
});

function sourceOf(options: object = {}, user: object = {}): KubernetesSource {
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    clusters: [{ name: 'c', cluster: { server: cluster.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    'current-context': 'x',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const parsed = discoverySchema.parse({ kubernetes: { service: 'web', kubeconfig, ...options } }).kubernetes;
  const source = new KubernetesSource({ ...(parsed as NonNullable<typeof parsed>), scheme: 'http' });
  made.push(source);
  return source;
}
function ask(source: KubernetesSource, withinMs = Infinity): Promise<Known> {
  return source.next({ signal: new AbortController().signal, withinMs });
}
const hosts = ({ targets }: Known) => targets.map(({ url }) => url.slice(7, -5)).join();
const reasonOf = (source: KubernetesSource) => ask(source).then(hosts, (error: Error) => error.message);
const isWatched = () => until(() => cluster.watches.size === 1);
const lists = () => cluster.asked.filter((path) => !path.includes('watch=')).length;
const watched = () =>
  cluster.asked
    .filter((path) => path.includes('watch='))
    .map((path) => /resourceVersion=(\w+)/.exec(path)?.[1]);

/** Lists, and then sends something to the watch. */
async function listed(source: KubernetesSource, send: () => void, withinMs = Infinity): Promise<Known> {
  await ask(source);
  const next = ask(source, withinMs);
  next.catch(() => undefined);
  await isWatched();
  send();
  return next;
}

describe('KubernetesSource', () => {
  beforeEach(() => {
    cluster.slices = [slice('a', ['1.1.1.1']), slice('b', ['2.2.2.2'])];
  });

  it('lists what its Service has, and then watches from there', async () => {
    const source = sourceOf();
    expect(hosts(await listed(source, () => cluster.event('ADDED', slice('c', ['3.3.3.3']))))).toBe(
      '1.1.1.1,2.2.2.2,3.3.3.3',
    );
    const [list = '', watch = ''] = cluster.asked;
    const path =
      '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dweb';
    expect(list).toBe(`${path}&limit=500`);
    expect(watch).toMatch(
      /&watch=1&resourceVersion=100&allowWatchBookmarks=true&timeoutSeconds=(2[4-9]\d|3[0-5]\d|360)$/,
    );
    expect(watch.startsWith(path)).toBe(true);
  });

  it.each<[string, string, object, string]>([
    ['a change of one slice leaves the others', 'MODIFIED', slice('a', ['9.9.9.9']), '9.9.9.9,2.2.2.2'],
    ['an emptied slice leaves the others', 'MODIFIED', slice('a', []), '2.2.2.2'],
    ['a deleted slice leaves the others', 'DELETED', slice('a', ['1.1.1.1']), '2.2.2.2'],
    ['a bookmark changes nothing', 'BOOKMARK', { kind: 'EndpointSlice', metadata: {} }, '1.1.1.1,2.2.2.2'],
  ])('%s, and the next watch begins after it', async (_what, type, object, expected) => {
    const source = sourceOf();
    expect(hosts(await listed(source, () => cluster.event(type, object)))).toBe(expected);
    const next = ask(source);
    cluster.endWatches();
    expect(hosts(await next)).toBe(expected);
    void ask(source).catch(() => undefined);
    await until(() => watched().length === 2);
    expect([watched(), lists()]).toEqual([['100', '101'], 1]);
  });

  it('reads events however they are cut', async () => {
    const text = `${JSON.stringify(cluster.eventOf('ADDED', slice('c', ['3.3.3.3'], { note: 'ü' })))}\n\n`;
    const bytes = Buffer.from(text);
    const next = listed(sourceOf(), () => {
      const cut = bytes.indexOf('ü') + 1;
      for (const watch of cluster.watches) {
        watch.write(bytes.subarray(0, cut));
        setTimeout(() => watch.write(bytes.subarray(cut)), 10);
      }
    });
    expect(hosts(await next)).toBe('1.1.1.1,2.2.2.2,3.3.3.3');
  });

  it('takes a long list page by page', async () => {
    cluster.slices = Array.from({ length: 7 }, (_, index) => slice(`s${index}`, [`1.1.1.${index}`]));
    cluster.pageSize = 3;
    expect((await ask(sourceOf())).targets).toHaveLength(7);
    expect(cluster.asked.map((path) => /continue=(\d+)/.exec(path)?.[1])).toEqual([undefined, '3', '6']);
  });

  it('begins a list anew without its place when that is forgotten', async () => {
    cluster.pageSize = 1;
    let refusals = 1;
    const { list } = cluster.instead;
    cluster.instead.list = (response, url) => {
      if (url.searchParams.has('continue') && refusals > 0) {
        refusals -= 1;
        return refuse(410, 'Expired')(response);
      }
      delete cluster.instead.list;
      cluster['answer'](url, response);
      if (refusals > 0) cluster.instead.list = list ?? again;
    };
    const again = cluster.instead.list;
    expect(hosts(await ask(sourceOf()))).toBe('1.1.1.1,2.2.2.2');
    expect(cluster.asked.map((path) => path.includes('continue='))).toEqual([false, true, false, true]);
  });

  it.each<[string, (source: KubernetesSource) => Promise<unknown>]>([
    ['as an event', (source) => listed(source, () => cluster.gone())],
    [
      'as a status',
      async (source) => {
        await ask(source);
        cluster.instead.watch = refuse(410, 'Gone');
        await ask(source).finally(() => delete cluster.instead.watch);
      },
    ],
  ])('lists anew after 410 %s, and nothing is missing in between', async (_what, fail) => {
    const source = sourceOf();
    await expect(fail(source)).rejects.toThrow('forgotten');
    cluster.slices = [slice('b', ['2.2.2.2']), slice('d', ['4.4.4.4'])];
    cluster.version = 500;
    expect(hosts(await ask(source))).toBe('2.2.2.2,4.4.4.4');
    void ask(source).catch(() => undefined);
    await isWatched();
    expect(watched().at(-1)).toBe('500');
  });

  it.each<[string, () => void, RegExp]>([
    ['garbage', () => cluster.send('{"type":"ADD\n'), /no JSON/],
    ['an unknown event', () => cluster.event('RENAMED', slice('a', [])), /no known type/],
    [
      'an event without a version',
      () => cluster.send('{"type":"ADDED","object":{"metadata":{"name":"x"}}}\n'),
      /without a version/,
    ],
    [
      'another error',
      () => cluster.send('{"type":"ERROR","object":{"code":500,"reason":"InternalError"}}\n'),
      /500 InternalError/,
    ],
    ['a line without end', () => cluster.send('x'.repeat(4 * 1024 * 1024 + 1)), /more than 4MiB/],
  ])('trusts nothing after %s, and lists anew', async (what, send, reason) => {
    const source = sourceOf();
    await expect(listed(source, send)).rejects.toThrow(reason);
    // Of a line that is too long nothing was used; the watch begins again where it was.
    if (what === 'a line without end') return;
    await ask(source);
    expect(lists()).toBe(2);
  });

  it('takes up a watch that was cut where it was', async () => {
    const source = sourceOf();
    await listed(source, () => cluster.event('ADDED', slice('c', ['3.3.3.3'])));
    const next = ask(source);
    cluster.cut();
    await expect(next).rejects.toMatchObject({ name: 'Unknown' });
    void ask(source).catch(() => undefined);
    await isWatched();
    expect([watched(), lists()]).toEqual([['100', '101'], 1]);
  });

  it('waits a second when a watch ends as soon as it begins', async () => {
    const source = sourceOf();
    expect((await listed(source, () => cluster.endWatches())).waitMs).toBe(1000);
  });

  it('gives a watch up that does not end in its time', async () => {
    const source = sourceOf();
    await ask(source);
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'setImmediate',
        'clearImmediate',
        'nextTick',
        'queueMicrotask',
        'setInterval',
        'clearInterval',
        'hrtime',
      ],
    });
    try {
      const next = ask(source);
      next.catch(() => undefined);
      while (cluster.watches.size === 0) await new Promise((resolve) => setImmediate(resolve));
      for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
      jest.advanceTimersByTime(LONGEST_WATCH_MS + 1000);
      await expect(next).rejects.toThrow('does not end in its time');
    } finally {
      jest.useRealTimers();
    }
  });

  it('lists anew where an answer is wanted and nothing happens', async () => {
    const source = sourceOf();
    await ask(source);
    await ask(source, 20);
    expect(lists()).toBe(2);
  });

  it.each([
    [500, 'InternalError', {}, 0, /answered 500/],
    [429, 'TooManyRequests', { 'retry-after': '3' }, 3000, /answered 429/],
    [403, 'Forbidden', {}, 0, /may it list endpointslices/],
  ])(
    'knows nothing after %i, and lists when it is asked again',
    async (code, reason, headers, afterMs, message) => {
      cluster.instead.list = refuse(code, reason, headers);
      const source = sourceOf();
      await expect(ask(source)).rejects.toMatchObject({
        name: 'Unknown',
        afterMs,
        message: expect.stringMatching(message),
      });
      delete cluster.instead.list;
      expect(hosts(await ask(source))).toBe('1.1.1.1,2.2.2.2');
    },
  );

  it('says which right is missing when only a list is allowed', async () => {
    const source = sourceOf();
    await ask(source);
    cluster.instead.watch = refuse(403, 'Forbidden');
    expect(await reasonOf(source)).toMatch(/may it watch endpointslices/);
  });

  it('reads its token again when it is refused', async () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'old\n');
    cluster.token = 'old';
    const source = sourceOf({}, { 'auth-provider': { name: 'tokenFile', config: { tokenFile: token } } });
    await ask(source);
    cluster.token = 'new';
    expect(await reasonOf(source)).toMatch(/answered 401/);
    writeFileSync(token, 'new\n');
    void ask(source).catch(() => undefined);
    await isWatched();
    expect(cluster.headers.at(-1)?.authorization).toBe('Bearer new');
  });

  it('reads a token again within one question when it has just changed', async () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'old');
    cluster.token = 'old';
    const source = sourceOf({}, { 'auth-provider': { name: 'tokenFile', config: { tokenFile: token } } });
    await ask(source);
    cluster.token = 'new';
    writeFileSync(token, 'new');
    const next = ask(source);
    await isWatched();
    cluster.event('ADDED', slice('c', ['3.3.3.3']));
    expect(hosts(await next)).toContain('3.3.3.3');
  });

  it('says what may be wrong with a Service that has no slices', async () => {
    cluster.slices = [];
    expect(await ask(sourceOf())).toMatchObject({
      targets: [],
      note: expect.stringContaining('ExternalName'),
    });
  });

  it('needs access to a cluster', async () => {
    expect(await reasonOf(sourceOf({ kubeconfig: join(folder, 'nowhere') }))).toBe(
      'there is no access to the cluster: ENOENT',
    );
    expect(await reasonOf(sourceOf({ kubeconfig: undefined }))).toContain('this is no pod');
  });
});
