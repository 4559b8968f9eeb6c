import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ExplainInput } from '../../src/explain/explain.schema.ts';
import type { ExplainedRequest, Explanation } from '../../src/explain/explanation.ts';
import { renderExplanation } from '../../src/explain/render-explanation.ts';
import { policyList } from '../../src/policies/order.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const SECRET = 'of-the-gateway';
let gateway: TestGateway;
let upstreams: TestUpstream[];

beforeAll(async () => {
  upstreams = await Promise.all(Array.from({ length: 3 }, () => startUpstream()));
  const [one, two, other] = upstreams.map(({ url }) => url);
  process.env['CANARY_SECRET'] = 'c'.repeat(32);
  gateway = await startGateway({
    environment: { FAULT_INJECTION: 'on' },
    config: `
version: 1
modules: [orders]
graphql: { policies: { authentication: { schemes: [jwt] } } }
identity: { issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }] }
defaults: { policies: { authentication: public } }
upstreams:
  it: { targets: ['${one}', { url: '${two}', labels: { track: canary } }] }
  other: { targets: ['${other}'] }
  feed: { targets: ['${other}'] }
  users: { targets: ['${other}'] }
  orders: { protocol: grpc, descriptorSet: config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] }
routes:
  - id: all
    match: { path: /all/*, methods: [POST, GET, OPTIONS] }
    upstream: it
    policies:
      serverTiming: { for: loopback }
      securityHeaders: { hsts: 'off' }
      ipAccess: { deny: [198.51.100.0/24] }
      cors: { origins: ['https://app.test'] }
      loadShedding: high
      authentication: { schemes: [jwt] }
      authorization: { anyRole: [user] }
      callerPriority: { tiers: { free: low } }
      deprecation: { since: 2020-01-01, sunset: 2999-01-01 }
      rateLimit: { key: ip, rate: 100, per: 1h }
      quota: { key: principal, limit: 100, window: month, withoutRedis: memory }
      bodyLimit: 1KiB
      bodyIdle: 10s
      deadline: 2s
      externalAuthorization: { upstream: other, forward: { path: /may } }
      compression: {}
      transform: { request: { setHeaders: { x-a: b }, body: [{ default: { token: ${SECRET}, added: 1 } }] } }
      cache: { ttl: 1m }
      bodyAuthorization: { when: body.a == 1 }
      concurrency: { max: 5 }
      idempotency: {}
      fault: { abort: { share: 50% }, header: { name: x-fault } }
      validation: { body: { type: object, required: [a], properties: { a: { type: integer } } } }
  - { id: gone, match: { path: /gone }, upstream: it, policies: { deprecation: { since: 2020-01-01, sunset: 2020-02-01, afterSunset: gone } } }
  - { id: aborted, match: { path: /aborted }, upstream: it, policies: { fault: { abort: {} } } }
  - { id: edits, match: { path: /edits }, upstream: it, policies: { transform: { request: { body: [{ default: { added: 1 } }] } } } }
  - { id: cached, match: { path: /cached }, upstream: other, policies: { cache: { ttl: 1m } } }
  - { id: sticky, match: { path: /sticky }, upstream: it, canary: { to: { track: canary }, weight: 30%, sticky: cookie, secretEnv: CANARY_SECRET, when: "request.headers['x-staff'] == '1'" } }
  - { id: mirrored, match: { path: /mirrored }, upstream: it, mirror: { upstream: other, methods: [GET, POST], maxBody: 1KiB } }
  - { id: some, match: { path: /some }, upstream: it, mirror: { upstream: other, share: 10% } }
  - { id: passed, match: { path: /shop.v1.Orders/* }, upstream: orders, passGrpc: true }
  - id: page
    match: { path: '/page/{id}' }
    aggregate:
      calls:
        user: { upstream: other, path: '/users/{id}?key=${SECRET}' }
        order: { upstream: orders, grpc: shop.v1.Orders/GetOrder, input: { id: '{id}' } }
        posts: { upstream: it, path: '/posts/{user.name}' }
  - { id: elsewhere, match: { path: '/old/{id}' }, redirect: { to: '/new/{id}' } }
`,
  });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all(upstreams.map((one) => one.stop()));
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

const ANN = { id: 'ann', roles: ['user'] };
const JSON_BODY = { headers: ['content-type: application/json'], body: '{"a":1}', as: ANN };
/** As whoever really asks says it: the host is a part of what is stored. */
const sameHost = (): { headers: string[] } => ({ headers: [`host: ${new URL(gateway.url).host}`] });
const named = ({ requests }: Explanation, name?: string): ExplainedRequest | undefined =>
  requests.find((one) => one.name === name);
const picked = (request: ExplainedRequest | undefined): string | undefined =>
  request?.upstream?.targets.find(({ isPicked }) => isPicked)?.target;
const fieldOf = (request: ExplainedRequest | undefined, name: string): string | undefined =>
  request?.sent?.headers.find(([one]) => one.toLowerCase() === name)?.[1];

describe('every stage', () => {
  it('gives a verdict, all in their order', async () => {
    const { policies, refused } = await told('POST /all/x', JSON_BODY);
    expect(refused).toBeUndefined();
    // All that there is; whoever adds a policy has it tell what it would do.
    expect(policies.map(({ policy }) => policy)).toEqual(policyList.map(({ name }) => name));
    expect(policies.filter(({ why }) => why === 'it does not say what it would do')).toEqual([]);
    expect(Object.fromEntries(policies.map(({ policy, does }) => [policy, does]))).toMatchObject({
      securityHeaders: 'changes',
      deprecation: 'changes',
      transform: 'changes',
      validation: 'passes',
    });
  });

  it.each<[string, string, Asked, string, object]>([
    ['a page of another origin', 'GET /all/x', { headers: ['origin: https://app.test'], as: ANN }, 'cors', { does: 'changes', why: 'the page of https://app.test may read the answer' }],
    ['a foreign page', 'GET /all/x', { headers: ['origin: https://b.test'], as: ANN }, 'cors', { does: 'changes', why: 'nothing is granted to the page of https://b.test' }],
    ['a preflight', 'OPTIONS /all/x', { headers: ['origin: https://app.test', 'access-control-request-method: POST'] }, 'cors', { does: 'answers', why: 'a preflight: granted' }],
    ['nobody', 'GET /all/x', {}, 'authorization', { does: 'depends' }],
    ['no caller with the role', 'GET /all/x', { as: { id: 'bob' } }, 'authorization', { does: 'refuses', isMet: true }],
    ['a body that is too large', 'POST /all/x', { ...JSON_BODY, body: `{"a":${'1'.repeat(1024)}}` }, 'bodyLimit', { does: 'refuses' }],
    ['a coding', 'GET /all/x', { as: ANN, headers: ['accept-encoding: br'] }, 'compression', { does: 'depends', why: expect.stringContaining('br, if') }],
    ['a place', 'GET /all/x', { as: ANN }, 'concurrency', { does: 'passes', facts: { route: '0 of 5, 0 waiting' } }],
    ['a route that matters', 'GET /all/x', { as: ANN }, 'loadShedding', { does: 'passes', facts: { class: 'high', level: '0.00' } }],
    ['a caller of a tier', 'GET /all/x', { as: { ...ANN, tier: 'free' } }, 'callerPriority', { does: 'passes', facts: { class: 'low', level: '0.00' } }],
    ['a fault by chance', 'GET /all/x', { as: ANN, headers: ['x-fault: 1'] }, 'fault', { does: 'depends' }],
    ['a fault for sure', 'GET /aborted', {}, 'fault', { does: 'refuses' }],
    ['no fault', 'GET /all/x', { as: ANN }, 'fault', { does: 'passes' }],
    ['a version that has gone', 'GET /gone', {}, 'deprecation', { does: 'refuses' }],
    ['a body that does not fit', 'POST /all/x', { ...JSON_BODY, body: '{"a":"x"}' }, 'validation', { does: 'refuses', refuses: expect.objectContaining({ errors: ['body /a must be integer'] }) }],
    ['no body', 'POST /all/x', { as: ANN }, 'validation', { does: 'refuses' }],
  ])('tells what it makes of %s', async (_, request, more, policy, wanted) => {
    const { policies } = await told(request, more);
    expect(policies.find((one) => one.policy === policy)).toMatchObject(wanted);
  }); // prettier-ignore

  it('that answers ends the walk', async () => {
    await call(`${gateway.url}/cached`);
    const explained = await told('GET /cached', sameHost());
    expect(explained.answered).toEqual({
      by: 'cache',
      what: expect.stringMatching(/^a stored 200, fresh for another (?:60|59)s$/),
    });
    expect(explained.requests).toEqual([
      expect.objectContaining({ note: 'not asked: cache answers', upstream: expect.anything() }),
    ]);
    const { headers } = sameHost();
    const again = await told('GET /cached', { headers: [...headers, 'cache-control: no-cache'] });
    expect(again.answered).toBeUndefined();
  });
});

describe('what is sent', () => {
  it('has its body edited, as a target really reads it', async () => {
    const headers = { 'content-type': 'application/json' };
    const { headers: lines, body: text } = JSON_BODY;
    const explained = await told('POST /edits', { headers: lines, body: text });
    const request = named(explained);
    const real = await call(`${gateway.url}/edits`, { method: 'POST', headers, body: '{"a":1}' });
    const { body, headers: sent } = real.json<Echo & Record<string, unknown>>();
    expect(request?.sent?.body).toEqual({ bytes: body.length, as: 'edited', json: body });
    expect(fieldOf(request, 'content-length')).toBe(sent['content-length']);
    const broken = await told('POST /edits', { headers: ['content-type: application/json'], body: '{' });
    expect(broken.refused).toMatchObject({ by: 'forward', status: 400, code: 'request-invalid' });
  });

  it('of an aggregate is one head for each call, as far as it can be told', async () => {
    const explained = await told('GET /page/7', { as: ANN });
    expect(named(explained, 'user')?.sent?.line).toBe('GET /users/7?key=(hidden) HTTP/1.1');
    expect(fieldOf(named(explained, 'user'), 'x-user-id')).toBe('ann');
    expect(named(explained, 'order')?.sent).toMatchObject({
      line: 'POST /shop.v1.Orders/GetOrder HTTP/2',
      body: { json: '{"id":"7"}' },
    });
    const posts = named(explained, 'posts');
    expect([posts?.note, posts?.sent, posts?.upstream?.name]).toEqual([
      'cannot be told before user has answered',
      undefined,
      'it',
    ]);
    await call(`${gateway.url}/page/7`);
    const real = upstreams[2]?.requests.find(({ url }) => url?.startsWith('/users/7'));
    const names = (named(explained, 'user')?.sent?.headers ?? []).map(([name]) => name.toLowerCase());
    const given = (real?.rawHeaders ?? []).flatMap((name, i) => (i % 2 === 0 ? [name.toLowerCase()] : []));
    expect(given.toSorted()).toEqual(names.filter((name) => !name.startsWith('x-user')).toSorted());
  });

  it('of a call of gRPC that is passed on is the call', async () => {
    const headers = ['content-type: application/grpc', 'x-own: 1'];
    const request = named(await told('POST /shop.v1.Orders/GetOrder', { headers }));
    expect(request?.sent?.line).toBe('POST /shop.v1.Orders/GetOrder HTTP/2');
    expect([fieldOf(request, 'x-own'), fieldOf(request, 'content-type')]).toEqual(['1', 'application/grpc']);
    expect((await told('POST /shop.v1.Orders/GetOrder')).refused).toMatchObject({ status: 415 });
  });

  it('of code is what each of its calls carries', async () => {
    const explained = await told('GET /api/v1/orders', { as: ANN });
    expect(explained.untold).toContain('OrdersController.list is code');
    expect(fieldOf(named(explained, 'each call over HTTP'), 'x-user-id')).toBe('ann');
    expect(fieldOf(named(explained, 'each call of gRPC'), 'x-user-id')).toBe('ann');
  });

  it.each([
    ['{ "query": "query Home { homepage { user { name } } orders { id } }" }', 'query Home asks for homepage, orders'],
    ['{ "query": "query A { a } query B { b, c }", "operationName": "B" }', 'query B asks for b, c'],
    ['{ "query": "{" }', 'the operation cannot be read'],
    ['{}', 'the operation is known by its hash only'],
  ])('of an operation of GraphQL is not known, but what it asks for: %s', async (body, what) => {
    const headers = ['content-type: application/json'];
    const { untold } = await told('POST /graphql', { headers, body, as: ANN });
    expect(untold).toContain(what);
  }); // prettier-ignore

  it('is a redirect', async () => {
    expect((await told('GET /old/7')).answered).toEqual({ by: 'redirect', what: '307 to /new/7' });
  });

  it.each([
    ['/mirrored', {}, 'every one is; nobody looks at the answer', true],
    ['/mirrored', { body: 'x'.repeat(1025) }, 'not mirrored: its body is larger than 1024 bytes', false],
    ['/some', {}, 'chance decides, 10 % are; nobody looks at the answer', true],
  ])('is mirrored or not: %s', async (path, more, note, isTold) => {
    const mirror = named(await told(`${'body' in more ? 'POST' : 'GET'} ${path}`, more), 'mirror');
    expect([mirror?.note, mirror?.sent !== undefined]).toEqual([note, isTold]);
    expect(mirror?.upstream?.name).toBe('other');
    if (isTold) expect(fieldOf(mirror, 'x-gatehouse-mirror')).toBe('1');
  });
});

describe('the side of a canary', () => {
  it('is told with its reason, and whom it leaves out', async () => {
    const [stable, canary] = upstreams.slice(0, 2).map(({ url }) => url.slice(7));
    const staff = await told('GET /sticky', { headers: ['x-staff: 1'] });
    expect(staff.side).toEqual({ name: 'canary', why: 'its rule (`when`) holds' });
    expect(picked(named(staff))).toBe(canary);
    expect(named(staff)?.upstream?.targets).toContainEqual({
      target: stable,
      isPicked: false,
      why: 'on the stable side',
    });
    // Two addresses that stand on different sides.
    const sides = await Promise.all(
      Array.from({ length: 12 }, (_, i) => told('GET /sticky', { from: `203.0.113.${i}` })),
    );
    for (const { side, ...more } of sides) {
      const [, at = '', place] = /it stands at ([\d.]+) %, (not below|below) the weight of 30 %/.exec(
        side?.why ?? '',
      ) ?? ['', '', ''];
      expect(place).toBe(Number(at) < 30 ? 'below' : 'not below');
      expect(side?.name).toBe(place === 'below' ? 'canary' : 'stable');
      expect(named(more as Explanation)?.sent?.to).toBe(place === 'below' ? canary : stable);
    }
    expect(new Set(sides.map(({ side }) => side?.name)).size).toBe(2);
  });
});

describe('a hundred explanations', () => {
  const counted = async (): Promise<string[]> =>
    (await call(`${gateway.adminUrl}/metrics`)).text
      .split('\n')
      .filter((line) => /^gatehouse_(?!event_loop|load_)/.test(line));
  const state = async (): Promise<unknown> => [
    await counted(),
    (await call(`${gateway.adminUrl}/canaries`)).json(),
    upstreams.map(({ requests }) => requests.length),
    gateway.lines.length,
  ];

  it('change no counter, limit, cache, canary or turn, and set no cookie', async () => {
    await call(`${gateway.url}/cached`);
    const before = await state();
    const left = async () =>
      (await told('GET /all/x', { as: ANN })).policies.find(({ policy }) => policy === 'rateLimit')?.facts;
    const facts = await left();
    const turns = new Set<string | undefined>();
    for (let i = 0; i < 25; i += 1) {
      const all = await Promise.all([
        told('POST /all/x', JSON_BODY),
        told('GET /sticky', { from: `203.0.113.${i}` }),
        told('GET /cached', sameHost()),
        told('GET /mirrored'),
        told('GET /page/7', { as: ANN }),
      ]);
      turns.add(picked(named(all[3])));
      expect(JSON.stringify(all)).not.toContain('set-cookie');
    }
    expect(await state()).toEqual(before);
    expect([await left(), turns.size]).toEqual([facts, 1]);
    const real = await call(`${gateway.url}/cached`);
    expect(real.headers['x-cache']).toBe('HIT');
  });

  it('show no secret, in JSON or as text', async () => {
    const secrets = [SECRET, 'of-the-client', 'of-the-body', 'c'.repeat(32), 'of-the-query'];
    const more = {
      headers: ['content-type: application/json', 'authorization: Bearer of-the-client'],
      body: '{"a":1,"deep":{"password":"of-the-body"}}',
      as: ANN,
    };
    const all = [
      await told('POST /all/x?api%5Fkey=of-the-query', more),
      await told('GET /page/7', more),
      await told('POST /edits', more),
      await told('GET /sticky'),
    ];
    expect(named(all[0] as Explanation)?.sent?.body?.json).toContain('"token":"(hidden)","added":1');
    const text = JSON.stringify(all) + all.map((one) => renderExplanation(one)).join('');
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });
});
