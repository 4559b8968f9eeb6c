import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ExplainInput } from '../../src/explain/explain.schema.ts';
import type { Explanation } from '../../src/explain/explanation.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

let gateway: TestGateway;
const targets: TestUpstream[] = [];
let dead: TestUpstream;

beforeAll(async () => {
  targets.push(await startUpstream(), await startUpstream());
  dead = await startUpstream((_, response) => void response.writeHead(500).end());
  const [one, two] = targets.map(({ url }) => url);
  gateway = await startGateway({
    config: `
version: 1
floodLimit: { rate: 20, per: 1h }
connectionLimit: { perAddress: 50 }
trustedProxies: [10.0.0.1]
identity: { issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }] }
defaults: { policies: { authentication: public, deadline: 2s, ipAccess: { deny: [198.51.100.0/24] } } }
upstreams:
  it:
    targets: ['${one}', { url: '${two}', labels: { track: canary } }]
    policies: { bodyLimit: 1MiB }
    deadlineHeader: { name: x-timeout, unit: s }
  ill: { targets: ['${dead.url}', '${one}'], circuitBreaker: { consecutiveFailures: 1, openFor: 60s }, retry: { attempts: 1 } }
  orders: { protocol: grpc, descriptorSet: config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] }
access:
  - { path: /spelled/*, anyRole: [user] }
  - { path: /spelled/pay/*, anyRole: [finance] }
routes:
  - { id: spelled, match: { path: /spelled/* }, upstream: it, policies: { authentication: { schemes: [jwt] } } }
  - id: mine
    match: { methods: [GET], path: '/v2/users/{id:[0-9]+}', headers: { x-beta: '1' }, query: { lang: de }, cookies: { c: '1' } }
    upstream: it
    rewrite: { stripPrefix: /v2 }
    host: keep
    policies:
      authentication: { schemes: [jwt] }
      authorization: { anyRole: [admin] }
      rateLimit: [{ key: principal, rate: 1, burst: 1, per: 1h }]
      cache: { ttl: 1m }
      deadline: 'off'
      transform: { request: { setHeaders: { x-caller: '{principal.id}', authorization: 'Bearer of-the-route' } } }
  - { id: low, match: { path: '/v2/users/{id:[0-9]+}' }, upstream: it }
  - { id: rest, match: { path: /v2/* }, upstream: it }
  - { id: host, match: { path: /v2/*, hosts: [a.test] }, upstream: it }
  - { id: post, match: { path: '/v2/users/{any}', methods: [POST] }, upstream: it }
  - { id: first, match: { path: /ranked/one }, upstream: it }
  - { id: ranked, match: { path: /ranked/*, headers: { x-rank: '1' } }, upstream: it, priority: 5 }
  - { id: limited, match: { path: /limited }, upstream: it, policies: { rateLimit: { key: ip, rate: 1, burst: 1, per: 1h }, cache: { ttl: 1m } } }
  - { id: told, match: { path: /told/* }, upstream: it, policies: { transform: { request: { setHeaders: { x-more: 'yes' } } } } }
  - { id: ill, match: { path: /ill }, upstream: ill }
  - { id: keyed, match: { path: '/keyed/{token}' }, upstream: it, rewrite: { path: '/found/{token}' }, policies: { cache: { ttl: 1m }, transform: { request: { setHeaders: { x-plain: '{header.x-pw}' } } } } }
  - { id: moved, match: { path: /moved }, redirect: { to: 'https://new.example.com/moved', status: 308 } }
  - { id: fixed, match: { path: /fixed }, respond: { status: 204 } }
  - { id: shop, upstream: orders, grpc: { service: shop.v1.Orders, prefix: /api/v3 } }
  - id: api
    match: { path: '/api/{version}/things' }
    versions: { by: path, default: v1, of: { v1: { upstream: it, policies: { deadline: 1s } } } }
`,
  });
});

beforeEach(() => targets.forEach(({ requests }) => (requests.length = 0)));

afterAll(async () => {
  await gateway.stop();
  await Promise.all([...targets, dead].map((target) => target.stop()));
});

type Asked = Partial<Omit<ExplainInput, 'as'>> & { readonly as?: object };

async function told(request: string, more: Asked = {}): Promise<Explanation> {
  const answer = await call(`${gateway.adminUrl}/explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, ...more }),
  });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.json<Explanation & Record<string, unknown>>();
}

const sentOf = ({ requests }: Explanation) => requests[0]?.sent;
const upstreamOf = ({ requests }: Explanation) => requests[0]?.upstream;
const whys = ({ match }: Explanation) => Object.fromEntries(match.candidates.map(({ id, why }) => [id, why]));

const FITTING = { headers: ['x-beta: 1', 'cookie: c=1'], as: { id: 'ann', roles: ['admin'] } };
const MINE = 'GET /v2/users/7?lang=de';

describe('which route takes a request', () => {
  it('is told with its parameters, and for each other one the first thing that speaks against it', async () => {
    const explained = await told(MINE, FITTING);
    expect(explained.match).toMatchObject({ route: { id: 'mine' }, params: { id: '7' } });
    expect(whys(explained)).toMatchObject({
      low: 'order: mine asks for more',
      rest: 'order: the path of mine is more specific',
      host: 'host: localhost is not a.test',
      post: 'method: GET is not POST',
    });
    expect(explained.match.others).toBeGreaterThan(5);
  });

  it.each([
    ['a header field', MINE, ['cookie: c=1'], 'header: asks for x-beta: 1'],
    ['the query', 'GET /v2/users/7?lang=en', FITTING.headers, 'query: asks for ?lang: de'],
    ['a cookie', MINE, ['x-beta: 1'], 'cookie: asks for cookie c: 1'],
    ['the method', 'PUT /v2/users/7', [], 'method: PUT is not GET'],
    ['the path', 'GET /v2/users/x', [], 'path: "x" is not {id:[0-9]+}'],
    ['how long the path is', 'GET /v2/users', [], 'path: ends before {id:[0-9]+}'],
  ])('is told to be another one because of %s', async (_, request, headers, why) => {
    expect(whys(await told(request, { headers: [...headers] }))).toMatchObject({ mine: why });
  });

  it('is told to go by priority first', async () => {
    const explained = await told('GET /ranked/one', { headers: ['x-rank: 1'] });
    expect([explained.match.route?.id, whys(explained)['first']]).toEqual([
      'ranked',
      'order: priority 5 of ranked goes before it',
    ]);
  });

  it('counts the host of a whole URL', async () => {
    const explained = await told('GET https://a.test/v2/x');
    expect([explained.match.route?.id, explained.request.host]).toEqual(['host', 'a.test']);
    expect(whys(explained)['rest']).toBe('order: the host of host is more specific');
  });

  it.each([
    ['GET /nowhere', 404, 'route-not-found'],
    ['PATCH /fixed;x', 400, 'request-malformed'],
  ])('is told to be none: %s', async (request, status, code) => {
    const { match, refused, policies, requests } = await told(request);
    expect([match.route, policies, requests]).toEqual([undefined, [], []]);
    if (status === 404) expect(refused).toMatchObject({ by: 'match', status, code });
    else expect([400, 404]).toContain(refused?.status);
  });
});

describe('policies', () => {
  it('stand in their order, with their level and what they go by', async () => {
    const { policies } = await told(MINE, FITTING);
    expect(policies.map(({ policy, from, does }) => [policy, from, does])).toEqual([
      ['ipAccess', 'defaults', 'passes'],
      ['authentication', 'route', 'passes'],
      ['authorization', 'route', 'passes'],
      ['rateLimit', 'route', 'passes'],
      ['bodyLimit', 'upstream', 'passes'],
      ['bodyIdle', 'gateway', 'passes'],
      ['deadline', 'route', 'off'],
      ['transform', 'route', 'changes'],
      ['cache', 'route', 'passes'],
      ['circuitBreaker', 'upstream', 'passes'],
    ]);
    const facts = Object.fromEntries(policies.map(({ policy, facts: some }) => [policy, some]));
    expect(facts).toMatchObject({
      authentication: { caller: 'user:jwt::ann' },
      rateLimit: { 'key principal': 'mine:principal/3600000:{user:jwt::ann}, 1 of 1 left' },
      cache: { key: expect.stringMatching(/^[\w-]{43}$/) },
    });
  });

  it('of a version have a level of their own', async () => {
    const { policies } = await told('GET /api/v1/things');
    expect(policies.find(({ policy }) => policy === 'deadline')).toMatchObject({ from: 'version' });
  });

  it.each([
    ['a role', MINE, { ...FITTING, as: { id: 'bob' } }, 'authorization anyRole(admin)', 403],
    ['an address', 'GET /fixed', { from: '198.51.100.7' }, 'ipAccess', 403],
  ])('that refuse are told, and nothing is sent then: %s', async (_, request, more, by, status) => {
    const explained = await told(request, more);
    const { refused } = explained;
    expect([refused?.by, refused?.status, sentOf(explained)]).toEqual([by, status, undefined]);
    const at = explained.policies.findIndex(({ does }) => does === 'refuses');
    expect(explained.policies.map(({ isMet }) => isMet)).toEqual(
      explained.policies.map((_, index) => index <= at),
    );
  });

  it.each([
    ['/spelled/a', undefined],
    ['/spelled/pay/1', 'permission-denied'],
    ['/spelled/Pay;x/1', 'permission-denied'],
  ])('that refuse %s by `access`, in whatever spelling, say so', async (path, code) => {
    const { refused } = await told(`GET ${path}`, { as: { id: 'ann', roles: ['user'] } });
    expect(refused?.code).toBe(code);
  });

  it('leave open what asks for a caller when nobody is assumed', async () => {
    const { policies } = await told(MINE, { headers: FITTING.headers });
    const open = policies.filter(({ does }) => does === 'depends');
    expect(open.map(({ policy, why }) => [policy, why])).toEqual([
      ['authentication', expect.stringContaining('without one it is 401')],
      ['authorization', expect.stringContaining('nobody is assumed')],
    ]);
  });
});

describe('what is sent on', () => {
  // Ids and times are others each time.
  const COUNTED = /^(?:x-request-id|traceparent|x-request-deadline-ms)$/i;
  const lines = (fields: readonly (readonly [string, string])[]) =>
    fields.filter(([name]) => !COUNTED.test(name)).map((field) => field.join(': '));

  it.each([
    ['GET', '/told/a?b=c', undefined],
    ['DELETE', '/told/a', undefined],
    ['POST', '/told/a', '{"a":1}'],
  ])('is what a target really reads, for %s %s', async (method, path, body) => {
    const headers = { 'X-Own': '1', 'x-forwarded-for': '9.9.9.9' };
    const explained = await told(`${method} ${path}`, {
      headers: Object.entries({ host: new URL(gateway.url).host, ...headers }).map((one) => one.join(': ')),
      ...(body !== undefined && { body }),
    });
    const real = await call(gateway.url + path, { method, headers, body });
    const { rawHeaders, url } = real.json<Echo & Record<string, unknown>>();
    const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]] as const] : []));
    const sent = sentOf(explained);
    expect(sent?.line).toBe(`${method} ${url} HTTP/1.1`);
    const wanted = lines(sent?.headers ?? []);
    expect(wanted).toEqual(lines(pairs as [string, string][]));
    // The same target, because looking takes nobody's turn.
    expect(upstreamOf(explained)?.targets.find(({ isPicked }) => isPicked)?.target).toBe(sent?.to);
    expect(targets.find(({ requests }) => requests.length > 0)?.url).toBe(`http://${sent?.to}`);
  });

  it('of a translated request is the call', async () => {
    const explained = await told('GET /api/v3/orders/7', { as: { id: 'ann' } });
    expect(explained.action).toEqual({ kind: 'translate', of: 'orders' });
    const sent = sentOf(explained);
    expect(sent?.line).toBe('POST /shop.v1.Orders/GetOrder HTTP/2');
    expect(lines(sent?.headers ?? [])).toContain('x-user-id: ann');
    expect(sent?.body).toMatchObject({ as: 'message shop.v1.GetOrderRequest', json: '{"id":"7"}' });
  });

  it('shows no secret, wherever it stands', async () => {
    const secrets = ['of-the-client', 'of-the-cookie', 'of-the-query', 'of-the-key', 'of-the-claims'];
    const explained = await told('GET /told/a?access_token=of-the-query&b=c', {
      headers: [
        'Authorization: Bearer of-the-client',
        'Cookie: a=of-the-cookie',
        'X-Secret-Thing: of-the-key',
      ],
      as: { id: 'ann', claims: { secret: 'of-the-claims' } },
    });
    const routed = await told(MINE, FITTING);
    const text = JSON.stringify([explained, routed]);
    expect(text).toContain('access_token=(hidden)&b=c');
    expect([...secrets, 'of-the-route'].filter((secret) => text.includes(secret))).toEqual([]);
  });

  it.each(['GET /keyed/of-the-path', 'GET /moved', 'GET /nowhere', 'POST /keyed/of-the-path'])(
    'shows nothing of a secret of the client, wherever the configuration puts it: %s',
    async (request) => {
      const query = '?sig=of-sig%2Fx&token=of-token&x-pw=of-pw&code=of-code&page=of-page';
      const headers = [
        'x-csrf: of-csrf',
        'X-PW-Old: of-pw-old',
        'x-pw: of-field',
        'x-otp: of-otp',
        'x-page: of-page',
      ];
      const text = JSON.stringify(await told(request + query, { headers }));
      const secrets = [
        'of-sig',
        'of-token',
        'of-pw',
        'of-code',
        'of-csrf',
        'of-pw-old',
        'of-field',
        'of-otp',
      ];
      expect([...secrets, 'of-the-path'].filter((secret) => text.includes(secret))).toEqual([]);
      expect(text).toContain('page=of-page');
    },
  );

  it('is nothing for what the gateway answers itself', async () => {
    const { action, answered, requests } = await told('GET /fixed');
    expect([action?.kind, answered?.what, requests]).toEqual(['respond', '204 with 0 bytes', []]);
  });
});

describe('looking at a request', () => {
  it('takes no token, reads and writes no cache, and sends nothing', async () => {
    for (let i = 0; i < 5; i += 1) await told('GET /limited');
    expect(targets.flatMap(({ requests }) => requests)).toEqual([]);
    const real = await call(`${gateway.url}/limited`);
    expect([real.status, real.headers['x-cache']]).toEqual([200, undefined]);
    expect((await call(`${gateway.url}/limited`)).status).toBe(429);
    expect((await told('GET /limited')).refused).toMatchObject({ by: 'rateLimit ip', status: 429 });
  });

  it('passes nobody’s turn', async () => {
    const picked = new Set<string | undefined>();
    for (let i = 0; i < 4; i += 1) picked.add(sentOf(await told('GET /told/a'))?.to);
    expect(picked.size).toBe(1);
  });

  it('sees the breakers as they are, and leaves them so', async () => {
    const before = await told('GET /ill');
    expect(upstreamOf(before)?.targets.map(({ why }) => why.startsWith('its breaker'))).toEqual([
      false,
      false,
    ]);
    for (let i = 0; i < 2; i += 1) await call(`${gateway.url}/ill`);
    expect(upstreamOf(await told('GET /ill'))?.targets).toEqual([
      {
        target: dead.url.slice(7),
        isPicked: false,
        why: expect.stringMatching(/breaker is open for another (?:59|60)s/),
      },
      { target: targets[0]?.url.slice(7), isPicked: true, why: 'the only one that is available' },
    ]);
  });
});

describe('the admin listener', () => {
  it.each([
    [{}, /request/],
    [{ request: 'GET' }, /a method and a target/],
    [{ request: 'GET users' }, /starts with \//],
    [{ request: 'GET /a%2' }, /in a form/],
    [{ request: 'GET /', headers: ['no field with s3cret'] }, /`Name: value`/],
    [{ request: 'GET /', headers: ['a: b\r\nc: d'] }, /no field may have/],
    [{ request: 'GET /', headers: ['Host: a b'] }, /one host/],
    [{ request: 'GET /', as: { roles: [] } }, /as\.id/],
    [{ request: 'GET /', from: 'nowhere' }, /IP address/],
    [{ request: 'GET /', more: 1 }, /more/],
  ])('says what is wrong with %j', async (body, message) => {
    const answer = await call(`${gateway.adminUrl}/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([answer.status, answer.json()['error']]).toEqual([400, expect.stringMatching(message)]);
    expect(answer.text).not.toContain('s3cret');
  });

  it('is asked by a query as well', async () => {
    const query =
      'request=GET%20/v2/users/7?lang=de&header=x-beta:%201&header=cookie:%20c=1&from=203.0.113.9';
    const answer = await call(`${gateway.adminUrl}/explain?${query}`);
    expect(answer.json()).toMatchObject({
      match: { route: { id: 'mine' } },
      request: { client: '203.0.113.9' },
    });
  });
});

describe('what every request meets', () => {
  it('is told before its route, and takes nothing of the flood limit', async () => {
    for (let look = 0; look < 25; look += 1) await told('GET /fixed');
    expect((await told('GET /fixed')).entrance).toEqual([
      { step: 'connectionLimit', does: 'depends', why: expect.stringMatching(/more than 50/) },
      { step: 'floodLimit', does: 'passes', why: 'client = 127.0.0.1' },
    ]);
    const { entrance } = await told('GET /fixed', {
      from: '10.0.0.1',
      headers: ['X-Forwarded-For: 192.0.2.7'],
    });
    expect(entrance.map(({ does }) => does)).toEqual(['passes', 'passes']);
  });

  it('refuses what proxies contradict each other about, before anything else', async () => {
    const headers = ['X-Forwarded-For: 192.0.2.7', 'Forwarded: for=192.0.2.8'];
    const { entrance, refused, policies } = await told('GET /fixed', { from: '10.0.0.1', headers });
    expect(entrance.at(-1)).toMatchObject({ step: 'trustedProxies', does: 'refuses' });
    expect([refused?.status, policies]).toEqual([400, []]);
  });

  it.each([
    [
      'OPTIONS',
      '0',
      { answered: { by: 'forward', what: expect.stringMatching(/methods that are allowed/) } },
    ],
    ['TRACE', '0', { answered: { by: 'forward', what: expect.stringMatching(/the request as it came/) } }],
    ['OPTIONS', 'x', { refused: { status: 400, code: 'request-malformed' } }],
    ['OPTIONS', '1', { requests: [{ upstream: { name: 'it' } }] }],
  ])('%s with Max-Forwards: %s', async (method, hops, expected) => {
    expect(await told(`${method} /told/x`, { headers: [`Max-Forwards: ${hops}`] })).toMatchObject(expected);
  });

  it('is told of the flood limit once it is used up', async () => {
    // The last rows of this file: from here on every request of this address is refused.
    for (let one = 0; one < 21; one += 1) await call(`${gateway.url}/fixed`);
    const { refused, requests } = await told('GET /fixed');
    expect([refused?.status, refused?.code, requests]).toEqual([429, 'rate-limited', []]);
  });
});
