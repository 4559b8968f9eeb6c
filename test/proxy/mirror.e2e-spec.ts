import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { call } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { reload, until } from '../support/reload.ts';
import { echo, startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const PUBLIC = { authentication: 'public' };
const json =
  (value: unknown, status = 200): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

let own: TestUpstream;
let other: TestUpstream;
let gateway: TestGateway;

const route = (id: string, mirror: object | undefined, more: object = {}) => ({
  id,
  match: { path: `/${id}` },
  upstream: 'own',
  policies: PUBLIC,
  ...(mirror && { mirror: { upstream: 'other', ...mirror } }),
  ...more,
});

const compare = { ignore: ['/at', '/list/*/at'], maxBody: '1KiB' };
const routes = (maxInFlight: number) => [
  route('plain', undefined),
  route('all', {}, { rewrite: { path: '/inner' } }),
  route('none', { share: '0%' }),
  route('half', { share: '50%' }),
  route('bodies', { methods: ['POST'], maxBody: '100KiB' }),
  route(
    'edited',
    { methods: ['POST'] },
    {
      policies: { ...PUBLIC, transform: { request: { body: [{ default: { by: 'gate' } }] } } },
    },
  ),
  route('capped', { maxInFlight, timeout: '5s' }),
  route('short', { timeout: '50ms', maxAnswer: '1KiB' }),
  route('dead', { upstream: 'dead' }),
  route('open', { upstream: 'fragile' }),
  route('compared', { compare }),
  {
    id: 'versioned',
    match: { path: '/{version}/versioned' },
    policies: PUBLIC,
    versions: {
      by: 'path',
      of: { v1: { upstream: 'own' }, v2: { upstream: 'own', mirror: { upstream: 'other', share: '100%' } } },
    },
  },
  route(
    'canary',
    {},
    { canary: { upstream: 'next', weight: '100%', sticky: 'cookie', secretEnv: 'MIRROR_SECRET' } },
  ),
];

const configOf = (list: readonly object[]) => ({
  version: 1,
  upstreams: {
    own: { targets: [own.url], passHeaders: ['x-original-url'] },
    next: { targets: [own.url], circuitBreaker: 'off' },
    other: { targets: [other.url], circuitBreaker: 'off' },
    dead: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off' },
    fragile: { targets: ['http://127.0.0.1:1'], circuitBreaker: { consecutiveFailures: 1 } },
    calls: { protocol: 'grpc', targets: ['grpc://127.0.0.1:1'] },
  },
  routes: list,
});

beforeAll(async () => {
  process.env['MIRROR_SECRET'] = 'a secret that is long enough to sign with';
  [own, other] = await Promise.all([startUpstream(), startUpstream()]);
  gateway = await startGateway({ config: JSON.stringify(configOf(routes(2))) });
});

afterAll(async () => {
  delete process.env['MIRROR_SECRET'];
  await gateway.stop();
  await Promise.all([own.stop(), other.stop()]);
});

afterEach(() => {
  own.listener = other.listener = echo;
  own.requests.length = other.requests.length = 0;
});

const metrics = async (name: string, id: string): Promise<Record<string, number>> => {
  const { text } = await call(`${gateway.adminUrl}/metrics`);
  const found = text.matchAll(
    new RegExp(`^gatehouse_mirror_${name}_total\\{route="${id}",\\w+="([^"]+)"\\} (\\d+)$`, 'gm'),
  );
  return Object.fromEntries([...found].map(([, label, count]) => [label, Number(count)]));
};

const counted = async (name: string, id: string, expected: Record<string, number>): Promise<void> => {
  const total = Object.values(expected).reduce((sum, one) => sum + one, 0);
  for (let waited = 0; waited < 2000; waited += 1) {
    const sum = Object.values(await metrics(name, id)).reduce((all, one) => all + one, 0);
    if (sum >= total) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await metrics(name, id)).toEqual(expected);
};

describe('a mirror', () => {
  it('of a version sends what is asked of that version', async () => {
    for (const version of ['v1', 'v2'])
      expect((await call(`${gateway.url}/${version}/versioned`)).status).toBe(200);
    await counted('requests', 'versioned.v2', { '2xx': 1 });
    expect(other.requests.map(({ url }) => url)).toEqual(['/v2/versioned']);
  });

  it('is named in the list of routes, and so is a canary', async () => {
    const listed = (await call(`${gateway.adminUrl}/routes`)).json<{ id: string; upstream: string }[]>();
    const shown = Object.fromEntries(listed.map(({ id, upstream }) => [id, upstream]));
    expect(shown).toMatchObject({
      plain: 'own',
      all: 'own + mirror other',
      half: 'own + mirror other 50%',
      canary: 'own + canary next + mirror other',
      'versioned.v2': 'own + mirror other',
    });
  });

  it('sends what the route sends, marked, and with what its own upstream may hear', async () => {
    other.listener = json({}, 500);
    const headers = {
      'X-Gatehouse_Mirror': '1',
      'X-Original-URL': '/admin',
      'x-own': 'a',
      cookie: 'a=b',
      'x-user-id': 'root',
    };
    const answer = await call(`${gateway.url}/all?q=1`, { headers });
    expect(answer.status).toBe(200);
    const { headers: told } = answer.json<Echo>();
    expect(told).not.toHaveProperty('x-gatehouse-mirror');
    expect(told['x-original-url']).toBe('/admin');
    await counted('requests', 'all', { '5xx': 1 });
    const [copy] = other.requests;
    expect(copy).toMatchObject({ method: 'GET', url: '/inner?q=1' });
    expect(copy?.headers).toMatchObject({
      'x-gatehouse-mirror': '1',
      'x-own': 'a',
      cookie: 'a=b',
      'x-request-id': told['x-request-id'],
      host: new URL(other.url).host,
    });
    expect(copy?.headers).not.toHaveProperty('x-original-url');
    expect(copy?.headers).not.toHaveProperty('x-user-id');
    const [line] = await gateway.linesWhere((one) => one['route'] === 'all' && one['status'] === 200);
    expect(JSON.stringify(line)).not.toMatch(/"other"|"500"|:500\b/);
  });

  it('takes the share it is told, of methods that change nothing', async () => {
    const get = (path: string, method = 'GET') => call(gateway.url + path, { method });
    await Promise.all(Array.from({ length: 10 }, () => get('/none')));
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) await get('/all', method);
    await get('/plain');
    expect(other.requests).toHaveLength(0);
    for (const method of ['HEAD', 'OPTIONS']) await get('/all', method);
    for (let i = 0; i < 10; i += 1) await Promise.all(Array.from({ length: 10 }, () => get('/half')));
    await counted('requests', 'all', { '5xx': 1, '2xx': 2 });
    const half = Object.values(await metrics('requests', 'half')).reduce((sum, one) => sum + one, 0);
    // Six standard deviations.
    expect(Math.abs(half - 50)).toBeLessThan(30);
  });

  it('passes bodies on whole within its bound, edited ones as they go out, and none beyond', async () => {
    const bodies = [0, 1, 65_536, 65_537, 102_400, 102_401].map((length) => 'x'.repeat(length));
    const got: string[] = [];
    other.listener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        got.push(Buffer.concat(chunks).toString());
        response.end();
      });
    };
    for (const body of bodies) {
      const answer = await call(`${gateway.url}/bodies`, { method: 'POST', body });
      expect(answer.json<Echo>().body === body).toBe(true);
    }
    await counted('requests', 'bodies', { '2xx': 5, 'body-too-large': 1 });
    expect(got.map(({ length }) => length).sort((a, b) => a - b)).toEqual([0, 1, 65_536, 65_537, 102_400]);
    const headers = { 'content-type': 'application/json', 'content-length': 7 };
    const edited = await call(`${gateway.url}/edited`, { method: 'POST', body: '{"a":1}', headers });
    await counted('requests', 'edited', { '2xx': 1 });
    expect(got.at(-1)).toBe(edited.json<Echo>().body);
    expect(got.at(-1)).toContain('gate');
  });

  it('drops what is too much, never has the client wait, and goes on counting over a reload', async () => {
    const held: (() => void)[] = [];
    other.listener = (_request, response) => void held.push(() => response.end());
    for (let i = 0; i < 3; i += 1) expect((await call(`${gateway.url}/capped`)).status).toBe(200);
    await until(() => held.length === 2);
    await counted('requests', 'capped', { dropped: 1 });
    await reload(gateway, configOf(routes(3)));
    for (let i = 0; i < 2; i += 1) expect((await call(`${gateway.url}/capped`)).status).toBe(200);
    await until(() => held.length === 3);
    for (const answer of held) answer();
    await counted('requests', 'capped', { '2xx': 3, dropped: 2 });
  });

  it('ends what lasts too long or is too large, and counts what fails; the client hears nothing of it', async () => {
    const get = async (path: string) => expect((await call(gateway.url + path)).status).toBe(200);
    let closed = 0;
    other.listener = (request) => void request.socket.once('close', () => (closed += 1));
    await get('/short');
    await until(() => closed === 1);
    other.listener = (_request, response) => void response.end('x'.repeat(1025));
    await get('/short');
    await counted('requests', 'short', { timeout: 1, 'answer-too-large': 1 });
    other.listener = (request) => void request.socket.destroy();
    await get('/short');
    await counted('requests', 'short', { timeout: 1, 'answer-too-large': 1, reset: 1 });
    expect(other.requests).toHaveLength(3);
    await get('/dead');
    await counted('requests', 'dead', { unreachable: 1 });
    await get('/open');
    await counted('requests', 'open', { unreachable: 1 });
    await get('/open');
    await counted('requests', 'open', { unreachable: 1, unavailable: 1 });
    const { text } = await call(`${gateway.adminUrl}/metrics`);
    expect(text).not.toMatch(/gatehouse_upstream_attempts_total\{upstream="(?:other|dead|fragile)"/);
  });

  it('forgets the copy of a body whose client leaves', async () => {
    const { hostname, port } = new URL(gateway.url);
    const before = await metrics('requests', 'bodies');
    const socket = connect(Number(port), hostname);
    socket.write('POST /bodies HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await counted('requests', 'bodies', { ...before, 'body-broken': 1 });
    expect(other.requests).toHaveLength(0);
  });

  it('compares both answers, and shows where they differ without what is there', async () => {
    const rounds: readonly (readonly [RequestListener, RequestListener])[] = [
      [json({ a: 1, b: 2, at: 1 }), json({ at: 2, b: 2, a: 1 })],
      [json({ a: 'secret one' }), json({ a: 'secret two' })],
      [json({ a: 'secret one' }), json({ a: 'secret two' })],
      [json({ list: [{ at: 1 }] }), json({ list: [{ at: 2 }, 3] })],
      [json({}), json({}, 404)],
      [json({ a: 'x'.repeat(2000) }), json({})],
      [json({}), (request) => void request.socket.destroy()],
    ];
    for (const [ours, theirs] of rounds) {
      own.listener = ours;
      other.listener = theirs;
      const before = Object.values(await metrics('comparisons', 'compared')).reduce((sum, n) => sum + n, 0);
      expect((await call(`${gateway.url}/compared`)).status).toBe(200);
      for (let after = before; after === before;)
        after = Object.values(await metrics('comparisons', 'compared')).reduce((sum, n) => sum + n, 0);
    }
    await counted('comparisons', 'compared', { same: 1, different: 4, skipped: 2 });
    await counted('differences', 'compared', { value: 2, length: 1, status: 1 });
    const lines = await gateway.linesWhere((one) => one.msg.startsWith('a mirrored answer'));
    expect(lines.map(({ kind, paths, statuses, level }) => ({ kind, paths, statuses, level }))).toEqual([
      { kind: 'value', paths: ['/a'], statuses: [200, 200], level: 40 },
      { kind: 'length', paths: ['/list'], statuses: [200, 200], level: 40 },
      { kind: 'status', paths: [], statuses: [200, 404], level: 40 },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('mirrors both sides of a canary, without its cookie', async () => {
    const headers = { cookie: 'canary-canary=1.x; a=b' };
    const answer = await call(`${gateway.url}/canary`, { headers });
    expect(answer.json<Echo>().headers['cookie']).toBe('a=b');
    await counted('requests', 'canary', { '2xx': 1 });
    expect(other.requests[0]?.headers.cookie).toBe('a=b');
  });
});

describe('a mirror that cannot be', () => {
  it.each([
    [
      'of an upstream that is not there',
      route('a', { upstream: 'othr' }),
      /routes\[a\]\.mirror\.upstream.*"othr"/s,
    ],
    ['at the upstream of the route', route('a', { upstream: 'own' }), /mirror\.upstream.*another upstream/s],
    [
      'at the upstream of its canary',
      route('a', {}, { canary: { upstream: 'other', weight: '1%' } }),
      /mirror\.upstream.*another upstream/s,
    ],
    ['at one of gRPC', route('a', { upstream: 'calls' }), /mirror\.upstream.*speaks gRPC/s],
    ['of bodies without bound', route('a', { maxBody: '2MiB' }), /mirror\.maxBody.*1MiB/s],
    [
      'that ignores everything',
      route('a', { compare: { ignore: [''] } }),
      /mirror\.compare\.ignore.*JSON pointer/s,
    ],
    [
      'of a fixed answer',
      { id: 'a', match: { path: '/a' }, respond: { status: 204 }, mirror: { upstream: 'own' } },
      /routes\[a\]\.mirror /,
    ],
    [
      'of a redirect',
      { id: 'a', match: { path: '/a' }, redirect: { to: '/b' }, mirror: { upstream: 'own' } },
      /routes\[a\]\.mirror /,
    ],
    [
      'of versions',
      {
        id: 'a',
        match: { path: '/{version}/a' },
        versions: { by: 'path', of: { v1: { upstream: 'own' } } },
        mirror: { upstream: 'other' },
      },
      /routes\[a\]\.mirror /,
    ],
    [
      'of calls of gRPC',
      { id: 'a', match: { path: '/a/*' }, upstream: 'calls', passGrpc: true, mirror: { upstream: 'own' } },
      /routes\[a\]\.mirror /,
    ],
  ])('is a fault: %s', async (_, one, message) => {
    await expect(checkGateway({ config: JSON.stringify(configOf([one])) })).rejects.toThrow(message);
  });
});
