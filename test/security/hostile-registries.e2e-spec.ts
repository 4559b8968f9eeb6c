import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiscoveryView } from '../../src/upstreams/discovery/discovery-view.ts';
import { entry } from '../../src/upstreams/discovery/consul/consul.fixture.ts';
import { slice } from '../../src/upstreams/discovery/kubernetes/kubernetes.fixture.ts';
import {
  a,
  cname,
  NameServer,
  srv,
  type Reply,
} from '../../src/upstreams/discovery/dns/name-server.fixture.ts';
import { sendJson } from '../../src/upstreams/discovery/registry.fixture.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

/** What is tried, and what the gateway says of it. */
type Row<Behaviour> = readonly [behaves: Behaviour, says: RegExp];

/** Writes for as long as somebody reads. */
function endlessly(response: ServerResponse, piece: string | Buffer): void {
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}
const json =
  (text: string): RequestListener =>
  (_, response) =>
    void response.end(text);
const BLANKS = Buffer.alloc(1024 * 1024, ' ');

/** So many empty objects are 6 MiB of text, and more than 256 MiB once they are read. */
const SWELLING = 2_100_000;

/** Agents of Consul, by service. */
const agents: Readonly<Record<string, Row<RequestListener>>> = {
  endless: [(_, response) => endlessly(response, BLANKS), /larger than 33554432 bytes/],
  'far-too-many': [json(`[${'{},'.repeat(50_000)}{}]`), /at most 50000 instances, found 50001/],
  swelling: [json(`[${'{},'.repeat(SWELLING)}{}]`), /too many parts/],
  nested: [json('['.repeat(100_000) + ']'.repeat(100_000)), /none of 1 entries can be used/],
  crowded: [
    (_, response) =>
      sendJson(
        response,
        Array.from({ length: 10_001 }, (_one, at) => entry({ Address: `10.${at >> 8}.0.${at & 255}` })),
      ),
    /at most 10000 targets, found 10001/,
  ],
  garbage: [(_, response) => void response.end(Buffer.from('00ff7b5b', 'hex')), /no JSON/],
  redirecting: [
    (_, response) => void response.writeHead(302, { location: victim.url }).end(),
    /the registry answered 302/,
  ],
  headed: [
    (_, response) => void response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end('[]'),
    /HPE_HEADER_OVERFLOW/,
  ],
  injecting: [
    (_, response) =>
      sendJson(response, [
        entry({ Address: 'a\r\nx: y' }),
        entry({ Address: 'a/../b@c' }),
        entry({ Port: 99_999 }),
      ]),
    /none of 3 entries can be used/,
  ],
};

/** Clusters, by service. */
const clusters: Readonly<Record<string, Row<RequestListener>>> = {
  'endless-line': [
    ({ url }, response) => (isWatch(url) ? endlessly(response, BLANKS) : sendJson(response, listOf())),
    /a line of more than 4MiB/,
  ],
  'endless-pages': [
    (_, response) =>
      sendJson(response, { ...listOf(), metadata: { resourceVersion: '1', continue: 'more' } }),
    /more than 50000 endpointslices/,
  ],
  'swelling-items': [json(`{"items":[${'{},'.repeat(SWELLING)}{}]}`), /too many parts/],
};

const keyOf = (name: string): string => name.replace('.', '-');
const isWatch = (url = ''): boolean => url.includes('watch=');
const listOf = () => ({ metadata: { resourceVersion: '1' }, items: [slice('a', ['127.0.0.1'])] });

const setWord =
  (at: number, value: number) =>
  (message: Buffer): Buffer => {
    message.writeUInt16BE(value, at);
    return message;
  };
/** The name of the first answer is a pointer to itself. */
const looping = (message: Buffer): Buffer => {
  const at = message.length - 'loop.test'.length - 2 - 14;
  return setWord(at, 0xc000 | at)(message);
};
/** As many as fit into an answer of 64 KiB, with a short name that is not compressed. */
const MOST_RECORDS = 3400;
const MANY = Array.from({ length: MOST_RECORDS }, (_, at) => a('m.t', `10.9.${at >> 8}.${at & 255}`, 0));
type Names = (way: 'udp' | 'tcp', name: string) => Reply | readonly Reply[] | undefined;

/** Name servers, by name. */
const names: Readonly<Record<string, Row<Names>>> = {
  'loop.test': [
    () => ({ answers: [a('loop.test', '127.0.0.1')], forge: looping }),
    /no name server answers.*timeout/,
  ],
  'count.test': [() => ({ answers: [a('count.test', '127.0.0.1')], forge: setWord(6, 65_535) }), /timeout/],
  'ids.test': [
    (_, name) =>
      Array.from({ length: 500 }, () => ({ answers: [a(name, '10.0.0.1')], forge: setWord(0, 1) })),
    /timeout/,
  ],
  'chain.test': [
    () => ({
      answers: Array.from({ length: 10 }, (_, at) =>
        cname(at === 0 ? 'chain.test' : `c${at}.test`, `c${at + 1}.test`),
      ),
    }),
    /more than 8 aliases/,
  ],
  'circle.test': [
    () => ({ answers: [cname('circle.test', 'x.test'), cname('x.test', 'circle.test')] }),
    /lead back/,
  ],
  'short.test': [
    (way) => (way === 'udp' ? { truncated: true } : { forge: (message) => message.subarray(0, 20) }),
    /no answer to the question|timeout/,
  ],
};

let victim: TestUpstream;
let registry: TestUpstream;
let service: TestUpstream;
let endless: TestUpstream;
let nameServer: NameServer;
let gateway: TestGateway;
let closed = 0;
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));

function kubeconfig(): string {
  const path = join(folder, 'kubeconfig');
  const config = {
    clusters: [{ name: 'c', cluster: { server: registry.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    'current-context': 'x',
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const LARGE: ReadonlySet<string> = new Set([
  'endless',
  'far-too-many',
  'swelling',
  'nested',
  'crowded',
  'swelling-items',
]);
const answeredOnce = new Set<string>();

/** Goes on for ever, a byte at a time. */
const trickle: RequestListener = (_, response) => {
  response.write('[');
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
};

const answered: RequestListener = (request, response) => {
  const { url = '' } = request;
  if (url.includes('trickling')) return trickle(request, response);
  const agent = /^\/v1\/health\/service\/([\w-]+)/.exec(url)?.[1] ?? '';
  const cluster = /service-name%3D([\w-]+)/.exec(url)?.[1] ?? '';
  response.on('error', () => undefined);
  // Once is enough; whoever asks again waits.
  if (LARGE.has(agent + cluster) && answeredOnce.size === answeredOnce.add(agent + cluster).size) return;
  (agents[agent] ?? clusters[cluster])?.[0](request, response);
};

beforeAll(async () => {
  [victim, registry, service, endless] = await Promise.all([
    startUpstream(),
    startUpstream(answered),
    startUpstream((_, response) => void response.end('fine')),
    startUpstream((_, response) => {
      response.on('close', () => (closed += 1));
      endlessly(response, BLANKS);
    }),
  ]);
  nameServer = await new NameServer().start();
  nameServer.behaviour = ({ name, type }, way) => {
    if (name === 'm.t') return way === 'udp' ? { truncated: true } : { answers: MANY };
    if (name === 'zero.test') return { answers: [a(name, '127.0.0.1', 0)] };
    if (name === 'services.test')
      return { answers: Array.from({ length: 100 }, (_, at) => srv(name, [0, 0, 80, `s${at}.test`])) };
    return type === 'SRV' || names[name] === undefined ? { rcode: 'NXDOMAIN' } : names[name]?.[0](way, name);
  };
  const found = (discovery: object) => ({
    discovery: { firstAnswer: '100ms', ...discovery },
    circuitBreaker: 'off',
  });
  const dns = (name: string, more: object = { port: 80 }) =>
    found({ dns: { name, servers: [nameServer.place], timeout: '400ms', ...more } });
  const each = <Of>(rows: Readonly<Record<string, Of>>, upstream: (name: string) => object) =>
    Object.fromEntries(Object.keys(rows).map((name) => [keyOf(name), upstream(name)]));
  const config = kubeconfig();
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: 'public' } },
      upstreams: {
        ...each(agents, (name) => found({ consul: { service: name, url: registry.url } })),
        ...each(clusters, (name) => found({ kubernetes: { service: name, kubeconfig: config } })),
        ...each(names, (name) => dns(name)),
        'm-t': dns('m.t'),
        'zero-test': dns('zero.test'),
        'services-test': dns('services.test', { type: 'SRV' }),
        fine: { targets: [service.url] },
        slow: found({ consul: { service: 'trickling', url: registry.url } }),
        slower: found({ kubernetes: { service: 'trickling', kubeconfig: config } }),
        probed: { targets: [endless.url], health: { active: { path: '/', interval: '100ms' } } },
      },
      routes: ['fine', 'garbage', 'slow', 'slower'].map((id) => ({
        id,
        match: { path: `/${id}` },
        upstream: id,
      })),
    }),
  });
});
afterAll(async () => {
  await gateway.stop();
  nameServer.stop();
  await Promise.all([victim, registry, service, endless].map((one) => one.stop()));
  rmSync(folder, { recursive: true });
});

async function viewOf(name: string, holds: (view: DiscoveryView) => boolean): Promise<DiscoveryView> {
  for (;;) {
    const all = (await call(`${gateway.adminUrl}/discovery`)).json<DiscoveryView[]>();
    const view = all.find(({ upstream }) => upstream === keyOf(name));
    if (view !== undefined && holds(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.each([
  ['an agent of Consul', agents],
  ['a cluster', clusters],
  ['a name server', names],
] as [string, Readonly<Record<string, Row<unknown>>>][])('%s', (_kind, rows) => {
  it.each(Object.entries(rows).map(([name, [, says]]) => [name, says] as const))(
    'that does its worst (%s) tells nothing, and the gateway says why',
    async (name, says) => {
      const { lastError, targets } = await viewOf(name, ({ errors }) => errors > 0);
      expect(lastError?.message).toMatch(says);
      expect(targets.length).toBe(name === 'endless-line' ? 1 : 0);
    },
  );
});

describe('a gateway whose registries are hostile', () => {
  it('serves what has nothing to do with them, and refuses the rest', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(`${gateway.url}/fine`)));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['fine']));
    for (const id of ['garbage', 'slow', 'slower']) {
      const refused = await call(`${gateway.url}/${id}`);
      expect([refused.status, refused.json()['code']]).toEqual([503, 'no-available-target']);
    }
    expect((await call(`${gateway.url}/health/ready`)).status).toBe(200);
  });

  it('goes nowhere else than it is told to', () => {
    expect(victim.requests).toHaveLength(0);
  });

  it('takes as many records as an answer can have, and looks again no sooner than it wants to', async () => {
    expect((await viewOf('m.t', ({ accepted }) => accepted > 0)).accepted).toBe(MOST_RECORDS);
    await viewOf('zero.test', ({ accepted }) => accepted > 0);
    const looks = nameServer.asked.filter((one) => one === 'udp zero.test A').length;
    // At least 4.5 s lie between two looks.
    expect(looks).toBeLessThanOrEqual(1 + performance.now() / 4500);
    expect((await viewOf('services.test', ({ errors }) => errors > 0)).lastError?.message).toContain(
      'none of 100',
    );
  });

  it('reads no more of the answer to a probe than it looks at', async () => {
    while (closed === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const listed = (await call(`${gateway.adminUrl}/upstreams`)).text;
    expect(listed).toContain(new URL(endless.url).host);
  });
});
