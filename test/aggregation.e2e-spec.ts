import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { parse } from 'yaml';
import { ConfigError } from '../src/config/config-fault.ts';
import { call, type Answer } from './support/client.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { useShop, type RouteInput } from './support/shop.ts';
import { startTcpUpstream, startUpstream, type TcpUpstream, type TestUpstream } from './support/upstream.ts';

const USER = { name: 'Ada', email: 'ada@example.com', tier: 'pro', internal: { riskScore: 7 } };
const FEED = {
  items: [
    { id: 'a', title: 'One', authorId: '7', internal: 1 },
    { id: 'b', title: 'Two', authorId: '8' },
  ],
};

let users: TestUpstream;
let feed: TestUpstream;
let broken: TcpUpstream;
let gateway: TestGateway;

const json =
  (body: unknown, headers: Record<string, string> = {}, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const config = (routes: string): string => `
version: 1
defaults: { policies: { authentication: public, deadline: 5s } }
upstreams:
  users: { targets: ['${users.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  feed: { targets: ['${feed.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  guarded: { targets: ['http://127.0.0.1:1'], policies: { authorization: { anyRole: [admin] } } }
  dead: { targets: ['http://127.0.0.1:1'], circuitBreaker: off, retry: { attempts: 1 } }
  broken: { targets: ['${broken.url}'], circuitBreaker: off, retry: { attempts: 1 } }
  tripped:
    targets: ['http://127.0.0.1:1']
    retry: { attempts: 1 }
    circuitBreaker: { consecutiveFailures: 1, openFor: 60s }
  shop: { protocol: grpc, descriptorSet: config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] }
routes:
${routes}`;

const one = (id: string, aggregate: string, more = ''): string => `
  - id: ${id}
    match: { path: '/${id}/{id}' }
    ${more}
    aggregate: ${aggregate}`;

const ROUTES = (): string =>
  [
    one(
      'profile',
      `
      calls:
        user: { upstream: users, path: '/users/{id}', required: true }
        feed: { upstream: feed, path: '/feed?user={id}&first=5', fallback: { items: [] } }
        author: { upstream: users, path: '/users/{feed.items.0.authorId}' }
      response:
        id: '{id}'
        name: user.name
        profile: { pick: [email, tier, phone], from: user, rename: { email: mail } }
        items: { each: feed.items, as: { id: item.id, label: '{item.title} by {item.authorId}' } }
        author: author
        all: { merge: [user, author] }
        rest: { from: feed.items, omit: [internal, authorId] }
        version: 2`,
    ),
    one('plain', `{ calls: { a: { upstream: users, path: /a }, b: { upstream: feed, path: /b } } }`),
    one(
      'inject',
      `
      calls:
        byPath: { upstream: users, path: '/users/{query.v}/orders' }
        byQuery: { upstream: feed, path: '/feed?user={query.v}&role=user' }`,
    ),
    one('header', `{ calls: { a: { upstream: users, path: '/a?l={header.Accept-Language}' } } }`),
    one('principal', `{ calls: { a: { upstream: users, path: '/a/{principal.id}', required: true } } }`),
    one(
      'numbers',
      `{ calls: { a: { upstream: users, path: /a }, b: { upstream: feed, path: '/b/{a.id}' } } }`,
    ),
    ...['dead', 'broken', 'tripped', 'feed'].flatMap((upstream) => [
      one(
        `alone-${upstream}`,
        `
      calls:
        user: { upstream: users, path: /users/1 }
        part: { upstream: ${upstream}, path: /part, budget: 150ms }
        after: { upstream: users, path: '/after/{part.id}' }
        instead: { upstream: ${upstream}, path: /instead, budget: 150ms, fallback: { items: [] } }`,
      ),
      one(
        `required-${upstream}`,
        `
      calls:
        user: { upstream: users, path: /users/1 }
        part: { upstream: ${upstream}, path: /part, budget: 150ms, required: true }`,
      ),
    ]),
    one(
      'masked',
      `{ calls: { user: { upstream: users, path: '/users/{id}' }, feed: { upstream: feed, path: /feed } } }`,
      `policies: { transform: { response: { maskFields: [internal, user.email] } } }`,
    ),
    one(
      'cached',
      `{ calls: { user: { upstream: users, path: '/users/{id}' }, feed: { upstream: feed, path: '/feed?l={header.accept-language}' } } }`,
      `policies: { cache: { ttl: 60s, staleIfError: 60s }, transform: { response: { maskFields: [internal] } } }`,
    ),
    one(
      'stale',
      `{ calls: { user: { upstream: users, path: '/users/{id}', required: true } } }`,
      `policies: { cache: { ttl: 0s, staleIfError: 60s } }`,
    ),
    one('hasty', `{ calls: { user: { upstream: users, path: /users/1 } } }`, 'policies: { deadline: 150ms }'),
    one(
      'merged',
      `
      calls:
        user: { upstream: users, path: /users/1 }
        extra: { upstream: feed, path: /extra }
      response: { merge: [user, { from: extra, omit: [secret] }, { source: '{id}' }] }`,
    ),
  ].join('');

beforeAll(async () => {
  [users, feed] = await Promise.all([startUpstream(), startUpstream()]);
  broken = await startTcpUpstream((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"cut'),
  );
  gateway = await startGateway({ config: config(ROUTES()) });
});
beforeEach(() => {
  users.listener = json(USER);
  feed.listener = json(FEED);
});
afterEach(() => {
  users.requests.length = 0;
  feed.requests.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([users.stop(), feed.stop(), broken.stop()]);
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  call(gateway.url + path, { headers });
const urls = (upstream: TestUpstream): (string | undefined)[] => upstream.requests.map(({ url }) => url);

/** Answers nothing until all of the upstreams have been asked: calls in sequence would never be answered. */
function meet(...upstreams: TestUpstream[]): void {
  let missing = upstreams.length;
  const waiting: (() => void)[] = [];
  for (const upstream of upstreams) {
    const then = upstream.listener;
    upstream.listener = (request, response) => {
      waiting.push(() => then(request, response));
      missing -= 1;
      if (missing === 0) waiting.forEach((answer) => answer());
    };
  }
}

describe('an aggregated route', () => {
  it('groups, picks, renames, merges and maps what its calls answer', async () => {
    users.listener = (request, response) =>
      json(request.url === '/users/7' ? { name: 'Grace', tier: 'free' } : USER)(request, response);
    const answer = await get('/profile/1');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    expect(answer.json()).toEqual({
      id: '1',
      name: 'Ada',
      profile: { mail: 'ada@example.com', tier: 'pro', phone: null },
      items: [
        { id: 'a', label: 'One by 7' },
        { id: 'b', label: 'Two by 8' },
      ],
      author: { name: 'Grace', tier: 'free' },
      all: { ...USER, name: 'Grace', tier: 'free' },
      rest: [
        { id: 'a', title: 'One' },
        { id: 'b', title: 'Two' },
      ],
      version: 2,
    });
  });

  it('shows the answers by the names of their calls unless it says otherwise', async () => {
    expect((await get('/plain/1')).json()).toEqual({ a: USER, b: FEED });
  });

  it('merges at the top, and keeps to itself what says degraded there', async () => {
    feed.listener = json({ tier: 'free', secret: 1, degraded: 'theirs' });
    const { internal, ...user } = USER;
    const expected = { ...user, internal, tier: 'free', source: '1' };
    expect((await get('/merged/1')).json()).toEqual(expected);
    feed.listener = json('', {}, 500);
    expect((await get('/merged/1')).json()).toEqual({
      ...USER,
      source: '1',
      degraded: [{ section: 'extra', code: 'upstream-rejected', via: 'null' }],
    });
  });

  it('has independent calls in flight at the same time', async () => {
    meet(users, feed);
    const answer = await get('/plain/1');
    expect(answer.json()).toEqual({ a: USER, b: FEED });
  });

  it('makes a call that names another one after it, with a value of its answer', async () => {
    let answered = false;
    feed.listener = (request, response) => {
      expect(urls(users)).not.toContain('/users/7');
      response.once('finish', () => (answered = true));
      json(FEED)(request, response);
    };
    users.listener = (request, response) => {
      expect(request.url === '/users/7' && !answered).toBe(false);
      json(USER)(request, response);
    };
    expect((await get('/profile/1')).json()).not.toHaveProperty('degraded');
    expect(urls(users).sort()).toEqual(['/users/1', '/users/7']);
    expect(urls(feed)).toEqual(['/feed?user=1&first=5']);
  });

  it('takes HEAD as GET, refuses other methods, and is one line in the log', async () => {
    const whole = await get('/plain/1');
    const head = await call(`${gateway.url}/plain/1`, { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers['content-length']).toBe(whole.headers['content-length']);
    const refused = await call(`${gateway.url}/plain/1`, { method: 'POST', body: '{}' });
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD']);
    const id = whole.headers['x-request-id'];
    const lines = await gateway.linesWhere((line) => line['id'] === id && line.msg === 'exchange');
    expect(lines).toEqual([
      expect.objectContaining({
        route: 'plain',
        status: 200,
        upstream: 'users,feed',
        bytes: whole.body.length,
      }),
    ]);
  });

  it('tells in Server-Timing how long each call took, and counts it', async () => {
    expect((await get('/plain/1')).headers['server-timing']).toMatch(/^a;dur=\d+, b;dur=\d+$/);
    const { text } = await call(`${gateway.adminUrl}/metrics`);
    expect(text).toContain('gatehouse_view_sections_total{view="plain",section="a",outcome="ok"}');
  });

  it('keeps every digit of a number, in the answer and on the way into a path', async () => {
    users.listener = json('{"id":12345678901234567890,"e":1e400}');
    const answer = await get('/numbers/1');
    expect(answer.text).toContain('"a":{"id":12345678901234567890,"e":1e400}');
    expect(urls(feed)).toEqual(['/b/12345678901234567890']);
  });

  it('sends identity, trace and time left to each upstream, and nothing that the client said by itself', async () => {
    await get('/plain/1', { 'x-user-id': 'forged', cookie: 'a=1', 'x-custom': '1' });
    const [seen] = users.requests;
    expect(seen?.headers).toMatchObject({ accept: 'application/json', traceparent: expect.any(String) });
    expect(Number(seen?.headers['x-request-deadline-ms'])).toBeGreaterThan(0);
    for (const name of ['x-user-id', 'cookie', 'x-custom']) expect(seen?.headers).not.toHaveProperty(name);
  });
});

describe('values in paths and queries', () => {
  it.each([
    ['7', '/users/7/orders', '/feed?user=7&role=user'],
    ['a b', '/users/a%20b/orders', '/feed?user=a%20b&role=user'],
    ['a&role=admin', '/users/a%26role%3Dadmin/orders', '/feed?user=a%26role%3Dadmin&role=user'],
    ['a#x', '/users/a%23x/orders', '/feed?user=a%23x&role=user'],
    ['a?x=1', '/users/a%3Fx%3D1/orders', '/feed?user=a%3Fx%3D1&role=user'],
    ['a+b;c', '/users/a%2Bb%3Bc/orders', '/feed?user=a%2Bb%3Bc&role=user'],
    ['%2e%2e', '/users/%252e%252e/orders', '/feed?user=%252e%252e&role=user'],
    ['ü', '/users/%C3%BC/orders', '/feed?user=%C3%BC&role=user'],
    ['...', '/users/.../orders', '/feed?user=...&role=user'],
    ['..', undefined, '/feed?user=..&role=user'],
    ['.', undefined, '/feed?user=.&role=user'],
    ['..;x', undefined, '/feed?user=..%3Bx&role=user'],
    ['../admin', undefined, '/feed?user=..%2Fadmin&role=user'],
    ['a/b', undefined, '/feed?user=a%2Fb&role=user'],
    ['a\\b', undefined, '/feed?user=a%5Cb&role=user'],
    ['a\r\nx: y', undefined, '/feed?user=a%0D%0Ax%3A%20y&role=user'],
    ['a\0', undefined, '/feed?user=a%00&role=user'],
    ['', undefined, undefined],
  ])('of %j become the path %s and the query %s', async (value, path, query) => {
    const answer = await get(`/inject/1?v=${encodeURIComponent(value)}`);
    expect(answer.status).toBe(200);
    expect(urls(users)).toEqual(path === undefined ? [] : [path]);
    expect(urls(feed)).toEqual(query === undefined ? [] : [query]);
    const failed = [...(path === undefined ? ['byPath'] : []), ...(query === undefined ? ['byQuery'] : [])];
    const degraded = failed.map((section) => ({ section, code: 'request-invalid', via: 'null' }));
    expect(answer.json()['degraded']).toEqual(degraded.length === 0 ? undefined : degraded);
  });

  it.each(['/inject/1', '/inject/1?v=1&v=2'])(
    'make no call when %s leaves open which is meant',
    async (path) => {
      expect((await get(path)).json()).toMatchObject({ byPath: null, byQuery: null });
      expect(users.requests).toHaveLength(0);
    },
  );

  it('decodes a parameter of the path once, whatever the client encoded', async () => {
    await get('/profile/a%26b%3Dc%2525');
    expect(urls(users)).toContain('/users/a%26b%3Dc%2525');
    expect(urls(feed)).toEqual(['/feed?user=a%26b%3Dc%2525&first=5']);
  });

  it.each([
    ['an empty text', { items: [{ authorId: '' }] }],
    ['null', { items: [{ authorId: null }] }],
    ['an object', { items: [{ authorId: { a: 1 } }] }],
    ['nothing', { items: [] }],
    ['what only JavaScript knows', { items: 'text' }],
    ['a dot segment', { items: [{ authorId: '..' }] }],
  ])('take no call to a wrong path for %s in an earlier answer', async (_what, body) => {
    feed.listener = json(body);
    const answer = await get('/profile/1');
    expect(answer.json()).toMatchObject({
      author: null,
      degraded: [{ section: 'author', code: 'upstream-response-invalid', via: 'null' }],
    });
    expect(urls(users)).toEqual(['/users/1']);
  });

  it('come from a header that is named, and the answer varies with it', async () => {
    const answer = await get('/header/1', { 'accept-language': 'de-DE,de;q=0.9' });
    expect(urls(users)).toEqual(['/a?l=de-DE%2Cde%3Bq%3D0.9']);
    expect(answer.headers['vary']).toBe('accept-language');
  });

  it('cannot come from a principal that there is not', async () => {
    const answer = await get('/principal/1');
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'permission-denied', section: 'a' });
    expect(users.requests).toHaveLength(0);
  });
});

const slow: RequestListener = () => undefined;
const FAULTS: [string, string, string, number, RequestListener | undefined][] = [
  ['is dead', 'dead', 'upstream-unreachable', 502, undefined],
  ['hangs up in its answer', 'broken', 'upstream-unreachable', 502, undefined],
  ['has its breaker open', 'tripped', 'circuit-open', 503, undefined],
  ['is too slow', 'feed', 'upstream-timeout', 504, slow],
  ['answers garbage', 'feed', 'upstream-response-invalid', 502, json('{"items":')],
  ['answers 500', 'feed', 'upstream-rejected', 502, json('', {}, 500)],
  ['answers 404', 'feed', 'resource-not-found', 404, json('', {}, 404)],
];

describe('when an upstream', () => {
  beforeAll(() => get('/required-tripped/1'));

  it.each(FAULTS)(
    '%s (%s), the rest of the answer is whole',
    async (_how, upstream, code, _status, listener) => {
      if (listener !== undefined) feed.listener = listener;
      const answer = await get(`/alone-${upstream}/1`);
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json()).toEqual({
        user: USER,
        part: null,
        after: null,
        instead: { items: [] },
        degraded: [
          { section: 'part', code, via: 'null' },
          { section: 'after', code, via: 'null' },
          { section: 'instead', code, via: 'fallback' },
        ],
      });
    },
  );

  it.each(FAULTS)('%s (%s), a required call makes its problem the answer', async (...row) => {
    const [, upstream, code, status, listener] = row;
    if (listener !== undefined) feed.listener = listener;
    const answer = await get(`/required-${upstream}/1`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json()).toMatchObject({ code, section: 'part' });
  });

  it('hangs beyond the deadline of the route, the answer is the deadline', async () => {
    users.listener = slow;
    expect((await get('/hasty/1')).json()).toMatchObject({ code: 'deadline-exceeded', status: 504 });
  });

  it('is being asked when the client leaves, that call is ended', async () => {
    const asked = new Promise<void>((resolve) => {
      users.listener = (request) => {
        request.socket.once('close', () => resolve());
        incoming.destroy();
      };
    });
    const { request } = await import('node:http');
    const incoming = request(`${gateway.url}/plain/1`).on('error', () => undefined);
    incoming.end();
    await asked;
    const closed = await gateway.linesWhere((line) => line['status'] === 499);
    expect(closed[0]).toMatchObject({ route: 'plain', refused: { code: 'client-closed' } });
  });
});

describe('policies of an aggregated route', () => {
  it('mask fields of the composed answer at every depth', async () => {
    const answer = await get('/masked/1');
    expect(answer.text).not.toContain('internal');
    expect(answer.json()).toEqual({
      user: { name: 'Ada', tier: 'pro' },
      feed: { items: [{ id: 'a', title: 'One', authorId: '7' }, FEED.items[1]] },
    });
  });

  it('store it, masked as it was, for each value that it depends on', async () => {
    const first = await get('/cached/1', { 'accept-language': 'de' });
    const again = await get('/cached/1', { 'accept-language': 'de' });
    expect([first.headers['x-cache'], again.headers['x-cache']]).toEqual([undefined, 'HIT']);
    expect(again.text).toBe(first.text);
    expect(again.text).not.toContain('internal');
    expect(again.headers).not.toHaveProperty('server-timing');
    expect(users.requests).toHaveLength(1);
    await get('/cached/1', { 'accept-language': 'en' });
    expect(urls(feed)).toEqual(['/feed?l=de', '/feed?l=en']);
  });

  it('store nothing that is degraded', async () => {
    feed.listener = json('', {}, 503);
    expect((await get('/cached/2', { 'accept-language': 'de' })).json()['degraded']).toHaveLength(1);
    feed.listener = json(FEED);
    const mended = await get('/cached/2', { 'accept-language': 'de' });
    expect(mended.json()).not.toHaveProperty('degraded');
    expect(mended.headers).not.toHaveProperty('x-cache');
  });

  it.each([
    ['no-store', 'no-store', undefined],
    ['max-age=0', 'max-age=0', undefined],
    ['private, max-age=30', 'private, max-age=30', undefined],
    ['max-age=3600', 'max-age=60', 'HIT'],
  ])('keep it no longer than an upstream with %s allows', async (said, composed, verdict) => {
    users.listener = json(USER, { 'cache-control': said });
    const path = `/cached/${encodeURIComponent(said)}`;
    const headers = { 'accept-language': 'de' };
    expect((await get(path, headers)).headers['cache-control']).toBe(composed);
    expect((await get(path, headers)).headers['x-cache']).toBe(verdict);
  });

  it('let a stale answer stand in for a required call that fails', async () => {
    await get('/stale/1');
    users.listener = json('', {}, 500);
    const answer = await get('/stale/1');
    expect([answer.status, answer.headers['x-cache']]).toEqual([200, 'STALE']);
    expect(answer.json()).toEqual({ user: USER });
  });
});

describe('faults of an aggregated route', () => {
  async function faultsOf(routes: string): Promise<string[]> {
    try {
      await (await startGateway({ config: config(routes) })).stop();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const first = config('').split('\n').length;
      return error.faults.map(({ line = 0, column, key, message, suggestion }) =>
        [`${line - first + 1}:${column}`, key, message, suggestion].filter(Boolean).join(' | '),
      );
    }
    return [];
  }

  it('are told all at once, each with its place and the nearest name', async () => {
    const faults = await faultsOf(`
  - id: bad
    match: { path: '/bad/{id}' }
    aggregate:
      calls:
        user: { upstream: user, path: '/users/{id}' }
        feed:
          upstream: feed
          path: '/feed/{usr.id}'
          required: true
          fallback: {}
        a: { upstream: feed, path: '/a/{b.id}' }
        b: { upstream: feed, path: '/b/{a.id}' }
        third: { upstream: users, path: /third }
        query: { upstream: users, path: 'relative' }
        forged: { upstream: users, path: '/{header.X_User-Id}/{principal.name}' }
        rpc: { upstream: shop, grpc: shop.v1.Orders/GetOrdr }
        input: { upstream: shop, grpc: shop.v1.Orders/GetOrder, input: { idd: '{id}' } }
        both: { upstream: shop, path: /a }
      response:
        degraded: user
        user: usr.name
        picked: { from: user, picks: [a] }
        list: { each: feed.items }
        item: item.id
        rest: [forged, rpc, input, both, query, feed]
`);
    expect(faults).toEqual([
      '6:17 | routes[bad].aggregate.calls.user.upstream | there is no upstream "user" | users',
      '9:11 | routes[bad].aggregate.calls.feed.path | there is no parameter and no call "usr" to take a value from | user',
      '11:11 | routes[bad].aggregate.calls.feed.fallback | expected no `fallback` beside `required`: it would never show',
      '12:9 | routes[bad].aggregate.calls.a | waits for itself: a → b → a',
      '15:9 | routes[bad].aggregate.calls.query | expected another name: "query" stands for something else here',
      '15:35 | routes[bad].aggregate.calls.query.path | expected a path that starts with "/", got "relative"',
      "16:36 | routes[bad].aggregate.calls.forged.path | x_user-id is not the client's to say; use principal.id",
      '17:32 | routes[bad].aggregate.calls.rpc.grpc | shop.v1.Orders has no method "GetOrdr" | GetOrder',
      '18:74 | routes[bad].aggregate.calls.input.input.idd | shop.v1.GetOrderRequest has no field "idd" | id',
      '19:17 | routes[bad].aggregate.calls.both.upstream | the upstream "shop" speaks grpc; `path` needs one that speaks http',
      '21:9 | routes[bad].aggregate.response.degraded | expected another name: the answer lists there what failed',
      '22:9 | routes[bad].aggregate.response.user | there is no parameter and no call "usr" to take a value from | user',
      '23:31 | routes[bad].aggregate.response.picked.picks | unknown key beside `from` | pick',
      '24:9 | routes[bad].aggregate.response.list | expected `as`: what each element becomes',
      '25:9 | routes[bad].aggregate.response.item | there is an `item` only below `as`',
    ]);
  });

  it.each([
    ['aggregate: { calls: {} }', 'expected at least one call'],
    ['aggregate: { calls: { a: { upstream: users } } }', 'expected either `path` or `grpc`'],
    ['aggregate: { calls: { a: { upstream: users, path: /a, bugdet: 1s } } }', 'unknown key'],
    ['aggregate: { calls: { a: { upstream: users, path: /a/../b } } }', 'without empty and dot segments'],
    ['aggregate: { calls: { a: { upstream: users, path: "/{a" } } }', 'expected {name} for each value'],
    ['aggregate: { calls: { a: { upstream: users, path: "/{a.b}" } } }', 'waits for itself: a → a'],
    ['aggregate: { calls: { a: { upstream: users, path: /a, budget: 0ms } } }', 'expected more than 0ms'],
    ['upstream: users, aggregate: { calls: { a: { upstream: users, path: /a } } }', 'expected no `upstream`'],
    [
      'rewrite: { path: /a }, aggregate: { calls: { a: { upstream: users, path: /a } } }',
      'expected no `rewrite`',
    ],
    [
      'aggregate: { calls: { a: { upstream: users, path: /a } }, response: { x: 1 } }',
      'expected something that uses its answer',
    ],
    ['policies: {}', 'expected the name of an upstream, or `aggregate` in its place'],
  ])('refuse %s', async (text, message) => {
    const faults = await faultsOf(`\n  - { id: bad, match: { path: /bad }, ${text} }\n`);
    expect(faults).toEqual([expect.stringContaining(message)]);
  });

  it('refuse a way around what an upstream asks of its callers', async () => {
    const route = (policies: string): string => `
  - { id: bad, match: { path: /bad }, policies: { ${policies} }, aggregate: { calls: { a: { upstream: guarded, path: /a } } } }
`;
    expect(await faultsOf(route(''))).toEqual([
      expect.stringContaining(
        'the upstream "guarded" asks for `authorization`; the route has to declare its own',
      ),
    ]);
    expect(await faultsOf(route('authorization: off'))).toEqual([]);
  });

  it('refuse methods other than GET', async () => {
    const route = `{ id: bad, match: { path: /bad, methods: [POST] }, aggregate: { calls: { a: { upstream: users, path: /a } } } }`;
    expect(await faultsOf(`\n  - ${route}\n`)).toEqual([expect.stringContaining('expected only GET')]);
  });
});

describe('the aggregated route that is shipped', () => {
  const DESCRIPTORS = 'config/descriptors/shop.binpb';
  const shipped = parse(readFileSync('config/gateway.yaml', 'utf8')) as { routes: RouteInput[] };
  const profile = shipped.routes.find((route) => route['id'] === 'profile') as RouteInput;
  const holder = useShop({
    upstreams: ({ notifications, orders }) => ({
      notifications: {
        protocol: 'grpc',
        descriptorSet: DESCRIPTORS,
        targets: [notifications.url],
        circuitBreaker: 'off',
      },
      orders: { protocol: 'grpc', descriptorSet: DESCRIPTORS, targets: [orders.url] },
    }),
    routes: [
      profile,
      {
        id: 'mine',
        match: { path: '/mine' },
        aggregate: {
          calls: {
            me: { upstream: 'users', path: '/users/{principal.id}' },
            order: {
              upstream: 'orders',
              grpc: 'shop.v1.Orders/GetOrder',
              input: { id: '{query.order}' },
              required: true,
            },
            limited: {
              upstream: 'notifications',
              grpc: 'shop.v1.Notifications/GetUnread',
              input: { user_id: 'me.id', limit: '{query.limit}' },
            },
          },
        },
      },
    ],
  });

  async function orderOf(): Promise<string> {
    const orders = await holder.shop.call('/api/v1/orders', { as: 'user' });
    return orders.json<{ orders: [{ id: string }] }>().orders[0].id;
  }

  it('composes REST and gRPC services', async () => {
    const answer = await holder.shop.call('/api/v2/profile/2', { as: 'user' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      id: '2',
      name: 'Bob User',
      profile: { email: expect.any(String), tier: expect.any(String) },
      feed: expect.arrayContaining([{ id: expect.any(String), title: expect.any(String) }]),
      newestAuthor: expect.any(String),
      unread: 7,
    });
    expect(answer.text).not.toContain('riskScore');
  });

  it('keeps the policies of the route', async () => {
    expect((await holder.shop.call('/api/v2/profile/2')).status).toBe(401);
    expect((await holder.shop.call('/api/v2/profile/2', { as: 'guest' })).status).toBe(403);
  });

  it('takes values from the principal and from answers into a message', async () => {
    const id = await orderOf();
    const answer = await holder.shop.call(`/mine?order=${id}&limit=2`, { as: 'user' });
    expect(answer.json()).toMatchObject({
      me: { id: '2' },
      order: { order: { id, userId: '2', totalCents: expect.stringMatching(/^\d+$/) } },
      limited: { unread: 7, latest: [{ id: 'ntf-2-7' }, { id: 'ntf-2-6' }] },
    });
  });

  it.each([
    ['/mine?limit=2', 400, 'request-invalid', 'order'],
    ['/mine?order=none', 404, 'resource-not-found', 'order'],
  ])('refuses %s naming the call', async (path, status, code, section) => {
    expect((await holder.shop.call(path, { as: 'user' })).json()).toMatchObject({ status, code, section });
  });

  it('fails a call alone whose message cannot hold the value', async () => {
    const answer = await holder.shop.call(`/mine?order=${await orderOf()}&limit=many`, { as: 'user' });
    expect(answer.json()).toMatchObject({
      limited: null,
      degraded: [{ section: 'limited', code: 'request-invalid' }],
    });
  });

  // Last, and `dead` at the end: a channel takes its time before it connects again.
  it.each(['garbage', 'fail', 'unavailable', 'dead'] as const)(
    'shows the rest while gRPC is %s',
    async (fault) => {
      const { notifications } = holder.shop.services;
      await notifications.fault(fault);
      const answer = await holder.shop.call('/api/v2/profile/2', { as: 'user' });
      await notifications.fault('none');
      expect(answer.json()).toMatchObject({
        name: 'Bob User',
        unread: null,
        degraded: [{ section: 'unread', via: 'null' }],
      });
    },
  );
});
