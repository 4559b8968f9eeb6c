import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../grpc/call.fixture.ts';
import { discoverySchema } from '../discovery.schema.ts';
import type { Known } from '../discovery-source.ts';
import { ConsulSource, type ConsulSourceOptions } from './consul-source.ts';
import { entry, FakeConsul, type Instance } from './consul.fixture.ts';

let consul: FakeConsul;
let made: ConsulSource[];

beforeEach(async () => {
  made = [];
  consul = await new FakeConsul().start();
});
afterEach(() => {
  for (const source of made) source.close();
  consul.stop();
});

function sourceOf(options: object = {}, more: Partial<ConsulSourceOptions> = {}): ConsulSource {
  const parsed = discoverySchema.parse({ consul: { service: 'web', url: consul.url, ...options } }).consul;
  const source = new ConsulSource({ ...(parsed as NonNullable<typeof parsed>), scheme: 'http', ...more });
  made.push(source);
  return source;
}
function ask(source: ConsulSource, withinMs = Infinity): Promise<Known> {
  return source.next({ signal: new AbortController().signal, withinMs });
}
const reasonOf = (source: ConsulSource) => ask(source).then(String, (error: Error) => error.message);

describe('ConsulSource', () => {
  it('asks at once, and then with the index of the answer until something changes', async () => {
    const source = sourceOf();
    expect((await ask(source)).targets).toMatchObject([{ url: 'http://10.0.0.1:80' }]);
    const next = ask(source);
    await until(() => consul.heldBack === 1);
    consul.change([entry({ Port: 81 })]);
    expect(await next).toMatchObject({ targets: [{ url: 'http://10.0.0.1:81' }], version: 'index 8' });
    expect(consul.asked).toEqual([
      '/v1/health/service/web?stale=',
      '/v1/health/service/web?index=7&wait=300000ms&stale=',
    ]);
  });

  it('says what it is asked for: datacenter, all tags, and its own mode', async () => {
    await ask(sourceOf({ service: 'a/b c', datacenter: 'dc2', tags: ['x', 'y&z'], stale: false }));
    expect(consul.asked).toEqual(['/v1/health/service/a%2Fb%20c?dc=dc2&tag=x&tag=y%26z']);
  });

  it('shortens the wait where an answer is wanted sooner', async () => {
    const source = sourceOf();
    await ask(source);
    void ask(source, 2500).catch(() => undefined);
    await until(() => consul.asked.length === 2);
    expect(consul.asked[1]).toContain('wait=2500ms');
  });

  it.each([
    ['goes backwards', '3', undefined],
    ['is absent', undefined, 'index=1&'],
    ['is 0', '0', 'index=1&'],
    ['is nonsense', 'x', 'index=1&'],
  ])('asks anew, or for the first, when the index %s', async (_what, index, expected) => {
    const source = sourceOf();
    await ask(source);
    const next = ask(source);
    await until(() => consul.heldBack === 1);
    if (index === undefined) consul.fields = { 'x-consul-index': '' };
    else consul.fields = { 'x-consul-index': index };
    consul.wake();
    await next;
    await ask(source);
    if (expected === undefined) expect(consul.asked[2]).not.toContain('index=');
    else expect(consul.asked[2]).toContain(expected);
  });

  it('begins anew after a failure', async () => {
    const source = sourceOf();
    await ask(source);
    consul.instead = (response) => void response.writeHead(500).end('No cluster leader');
    expect(await reasonOf(source)).toBe('the registry answered 500: No cluster leader');
    consul.instead = undefined;
    await ask(source);
    expect(consul.asked[2]).not.toContain('index=');
  });

  it('is asked ever more slowly by an agent that holds nothing back, down to once in 15 s', async () => {
    consul.fields = { 'x-consul-index': '0' };
    const source = sourceOf();
    const waits: number[] = [];
    for (let i = 0; i < 12; i += 1) waits.push((await ask(source)).waitMs);
    expect(waits.slice(0, 3)).toEqual([0, 0, 0]);
    expect(waits[3]).toBeGreaterThan(100);
    expect(waits.at(-1)).toBe(15_000);
  });

  it('shows how far behind its answer is', async () => {
    consul.fields = { 'x-consul-lastcontact': '40', 'x-consul-knownleader': 'false' };
    expect((await ask(sourceOf())).version).toBe('index 7, 40ms behind the leader, no leader');
  });

  it('sends its token as a field, and reads a file of it each time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consul-'));
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'one\n');
    const source = sourceOf({}, { tokenFile });
    await ask(source);
    consul.index += 1;
    writeFileSync(tokenFile, 'two');
    await ask(source);
    await ask(sourceOf({}, { token: 'three' }));
    expect(consul.headers.map((fields) => fields['x-consul-token'])).toEqual(['one', 'two', 'three']);
    expect(consul.asked.join()).not.toMatch(/one|two|three/);
    rmSync(folder, { recursive: true });
    expect(await reasonOf(source)).toBe(`the file of the token: cannot read ${tokenFile} (ENOENT)`);
  });

  it.each([
    [
      '403',
      (s: FakeConsul) => (s.instead = (r) => void r.writeHead(403).end('ACL not found')),
      /answered 403: ACL not found \(the token/,
    ],
    [
      '429',
      (s: FakeConsul) => (s.instead = (r) => void r.writeHead(429, { 'retry-after': '7' }).end()),
      /answered 429 \(/,
    ],
    [
      '400',
      (s: FakeConsul) => (s.instead = (r) => void r.writeHead(400).end('Invalid')),
      /answered 400: Invalid \(the question/,
    ],
    [
      'a redirect',
      (s: FakeConsul) => (s.instead = (r) => void r.writeHead(302, { location: '/x' }).end()),
      /answered 302/,
    ],
    ['garbage', (s: FakeConsul) => (s.instead = (r) => void r.end('<html>')), /no JSON/],
    ['no list', (s: FakeConsul) => (s.instead = (r) => void r.end('{}')), /no list/],
    [
      'half a body',
      (s: FakeConsul) =>
        (s.instead = (r) => (
          r.writeHead(200, { 'content-length': '9' }).write('['),
          setTimeout(() => r.destroy(), 5)
        )),
      /cannot be reached/,
    ],
    ['a cut', (s: FakeConsul) => (s.instead = (r) => void r.destroy()), /ECONNRESET/],
    [
      'a filtered list',
      (s: FakeConsul) => ((s.list = []), (s.fields = { 'x-consul-results-filtered-by-acls': 'true' })),
      /service:read/,
    ],
    [
      'a list for nobody',
      (s: FakeConsul) => ((s.list = []), (s.fields = { 'x-consul-default-acl-policy': 'deny' })),
      /deny by default/,
    ],
  ])('knows nothing after %s', async (_what, make, reason) => {
    make(consul);
    expect(await reasonOf(sourceOf())).toMatch(reason);
  });

  it('leaves an agent alone for as long as that wants, within reason', async () => {
    const after: unknown[] = [];
    for (const field of ['7', '999999', 'soon']) {
      consul.instead = (response) => void response.writeHead(429, { 'retry-after': field }).end();
      after.push(await ask(sourceOf()).catch((error: { afterMs: number }) => error.afterMs));
    }
    expect(after).toEqual([7000, 300_000, 0]);
  });

  it('ends a question that is given up', async () => {
    consul.instead = () => undefined;
    const giving = new AbortController();
    const next = sourceOf().next({ signal: giving.signal, withinMs: Infinity });
    await until(() => consul.asked.length === 1);
    giving.abort();
    await expect(next).rejects.toMatchObject({ name: 'Unknown' });
  });

  it('reads a thousand instances', async () => {
    consul.list = Array.from({ length: 1000 }, (_, index) => entry({ ID: `w${index}`, Port: 1000 + index }));
    expect((await ask(sourceOf())).targets).toHaveLength(1000);
  });

  it.each<[string, Instance, object | undefined]>([
    ['the address of the node where the instance has none', { Address: '' }, { url: 'http://10.0.0.9:80' }],
    ['an address of IPv6', { Address: 'fd00::1' }, { url: 'http://[fd00::1]:80' }],
    [
      'a warning, with its weight',
      { checks: { a: 'warning' }, Weights: { Passing: 9, Warning: 2 } },
      { weight: 2 },
    ],
    ['weights', { Weights: { Passing: 9, Warning: 2 } }, { weight: 9 }],
    [
      'tags and meta, of which meta counts',
      { Tags: ['canary', 'v=1', 'track=a'], Meta: { track: 'b' } },
      { labels: { canary: 'true', v: '1', track: 'b', 'node.datacenter': 'dc1' } },
    ],
    [
      'meta of the node',
      { node: { Meta: { rack: '7' } } },
      { labels: { 'node.rack': '7', 'node.datacenter': 'dc1' } },
    ],
    [
      'no label that could end a line, and none that is endless',
      {
        Tags: ['ok=1', 'line=a\r\nx-admin: 1', `long=${'x'.repeat(513)}`, `most=${'x'.repeat(512)}`],
        Meta: { zone: 'a\nb' },
      },
      { labels: { ok: '1', most: 'x'.repeat(512), 'node.datacenter': 'dc1' }, zone: undefined },
    ],
    ['a zone', { Meta: { zone: 'a' } }, { zone: 'a' }],
    ['no critical check', { checks: { a: 'critical', b: 'passing' } }, undefined],
    ['no critical node', { checks: { serfHealth: 'critical' } }, undefined],
    ['no maintenance of the node', { checks: { _node_maintenance: 'passing' } }, undefined],
    ['no maintenance of the instance', { checks: { '_service_maintenance:web-1': 'critical' } }, undefined],
    ['no weight of 0', { Weights: { Passing: 0, Warning: 1 } }, undefined],
  ])('minds %s', async (_what, instance, expected) => {
    consul.list = [entry(instance)];
    const { targets, skipped } = await ask(sourceOf());
    expect([targets, skipped]).toEqual([
      expected === undefined ? [] : [expect.objectContaining(expected)],
      [],
    ]);
  });

  it('takes 256 labels of a target, and of those that follow only other values', async () => {
    const Tags = Array.from({ length: 300 }, (_one, index) => `t${index}=1`);
    consul.list = [entry({ Tags, Meta: { t0: '2', t299: '2' } })];
    const [target] = (await ask(sourceOf())).targets;
    const labels = target?.labels ?? {};
    expect([Object.keys(labels).length, labels['t0'], labels['t299']]).toEqual([256, '2', undefined]);
  });

  it('skips what makes no sense, and keeps the rest', async () => {
    consul.list = [
      entry(),
      { Node: {} },
      null,
      entry({ Port: 0 }),
      entry({ Address: 'evil.test/x#' }),
      entry({ Port: 70_000 }),
      entry({ ID: 'again' }),
    ];
    const { targets, skipped } = await ask(sourceOf());
    expect(targets).toMatchObject([{ url: 'http://10.0.0.1:80' }]);
    expect(skipped).toEqual([
      'entry 1: has no Service',
      'entry 2: has no Service',
      'entry 3: has no port',
      'entry 4: has an address that is no host, or a port that is none',
      'entry 5: has an address that is no host, or a port that is none',
    ]);
  });
});
