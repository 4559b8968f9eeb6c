import { Controller, Get, Module, Post, Sse, type MessageEvent } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { of, type Observable } from 'rxjs';
import { readConfig } from '../../src/config/config-reader.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Cors } from '../../src/policies/cors/cors.policy.ts';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { echo, startUpstream, type TestUpstream } from '../support/upstream.ts';

const APP = 'https://app.example.com';
const STAR = 'https://*.shops.example.com:8443';
const PATTERN = { regex: 'https://pr-[0-9]+\\.preview\\.example\\.com' };

@Controller('coded')
@Authentication('public')
@Cors({ origins: [APP] })
class CodedController {
  @Get()
  show(): object {
    return { shown: true };
  }

  @Post()
  @Cors('off')
  take(): object {
    return { taken: true };
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return of({ data: 'one' });
  }
}

@Module({ controllers: [CodedController] })
class CodedModule {}

const holder: { gateway?: TestGateway; upstream?: TestUpstream } = {};
const open = { authentication: 'public' };

/** Routes of one path by what they ask for. */
const conditioned: readonly (readonly [id: string, match: object, cors?: 'off'])[] = [
  ['exact', { headers: { 'x-one': '1' } }],
  ['begun', { headers: { 'x-two': { prefix: 'a' } } }],
  ['described', { headers: { 'x-three': { regex: 'a|b' }, 'x-four': { present: true } } }],
  ['off-hand', { headers: { 'x-five': '1' } }, 'off'],
  ['unmarked', { headers: { 'x-five': { present: false } }, query: { open: { regex: 'y|yes' } } }],
  ['known', { path: '/kept', cookies: { user: { present: true } } }],
  ['typed', { path: '/typed', headers: { accept: 'text/plain' } }, 'off'],
  ['untyped', { path: '/typed' }],
  ['wide', { path: '/wide/*' }],
  ['narrow', { path: '/wide/{id}', headers: { 'x-key': { present: true } } }, 'off'],
  ['slim', { path: '/wide/both', headers: { 'x-a': '1', 'x-b': '1' } }, 'off'],
  ['put-only', { path: '/gap', methods: ['PUT'] }, 'off'],
  ['any', { path: '/gap' }],
  ['host-off', { path: '/hosted', hosts: ['a.test'], headers: { 'x-key': '1' } }, 'off'],
  ['host-on', { path: '/hosted', hosts: ['*.test'] }],
  ['open-off', { path: '/hosted', headers: { 'x-other': '1' } }, 'off'],
];

/** Two routes that differ in a field, and in what they grant. */
const differing: readonly (readonly [id: string, match: object, cors: object])[] = [
  [
    'less',
    { headers: { 'x-less': '1' } },
    { origins: '*', methods: ['PUT', 'GET'], headers: ['x-one', 'X-Less'], maxAge: '5m' },
  ],
  [
    'more',
    {},
    { origins: [APP], credentials: true, methods: ['PUT'], headers: ['X-Two', 'x-less'], maxAge: '10m' },
  ],
];

function configOf(upstream: string, cors: unknown = { origins: [APP] }): string {
  const route = (id: string, more: object, policies: object = {}) => ({
    id,
    match: { path: `/${id}` },
    upstream: 'behind',
    policies: { ...open, ...policies },
    ...more,
  });
  return JSON.stringify({
    version: 1,
    identity: { apiKeys: [{ sha256: '0'.repeat(64), clientId: 'app' }] },
    defaults: { policies: { cors: { origins: [APP], exposedHeaders: ['X-Request-Id'] } } },
    upstreams: {
      behind: { targets: [upstream], circuitBreaker: 'off', retry: { attempts: 1 } },
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
    },
    routes: [
      route('given', {}, { cors }),
      route('list', {}, { cors: { origins: [APP, STAR, PATTERN, 'null'] } }),
      route('all', {}, { cors: { origins: '*', exposedHeaders: ['ETag'] } }),
      route(
        'full',
        {},
        {
          cors: {
            origins: [APP],
            credentials: true,
            methods: ['PUT', 'DELETE'],
            headers: ['X-One'],
            exposedHeaders: ['ETag', 'X-Two'],
            maxAge: '10m',
            privateNetwork: true,
          },
        },
      ),
      route(
        'shut',
        { match: { path: '/shut', methods: ['GET', 'PUT'] } },
        { authentication: { schemes: ['apiKey'] } },
      ),
      route('limited', {}, { rateLimit: { key: 'ip', rate: 1, per: '1h' } }),
      route('late', { match: { path: '/late' } }, { deadline: '20ms' }),
      route('down', { upstream: 'gone' }),
      route('off', {}, { cors: 'off' }),
      { ...route('read', {}), match: { path: '/split', methods: ['GET'] } },
      { ...route('write', {}, { cors: 'off' }), match: { path: '/split', methods: ['PUT'] } },
      {
        ...route('beta', {}, { cors: { origins: [APP] } }),
        match: { path: '/beta', headers: { 'x-beta': '1' } },
      },
      ...conditioned.map(([id, match, ...cors]) => ({
        ...route(id, {}, { cors: cors[0] ?? { origins: [APP], credentials: true } }),
        match: { path: '/asked', ...match },
      })),
      ...differing.map(([id, match, policy]) => ({
        ...route(id, {}, { cors: policy }),
        match: { path: '/differing', ...match },
      })),
      {
        id: 'versions',
        match: { path: '/versions' },
        policies: { ...open, cors: 'off' },
        versions: {
          by: { header: 'X-Version' },
          default: 'v1',
          of: {
            v1: { upstream: 'behind' },
            v2: { upstream: 'behind', policies: { cors: { origins: [APP], credentials: true } } },
          },
        },
      },
      { id: 'told', match: { path: '/told' }, respond: { status: 200, body: 'hello' }, policies: open },
      { id: 'moved', match: { path: '/moved' }, redirect: { to: '/told' }, policies: open },
    ],
  });
}

beforeAll(async () => {
  const upstream = await startUpstream();
  holder.upstream = upstream;
  holder.gateway = await startGateway({ config: configOf(upstream.url), modules: [CodedModule] });
});
afterAll(async () => {
  await holder.gateway?.stop();
  await holder.upstream?.stop();
});

type Fields = Readonly<Record<string, string>>;

const ask = (path: string, headers: Fields = {}, method = 'GET'): Promise<Answer> =>
  call((holder.gateway as TestGateway).url + path, { method, headers });
const preflight = (path: string, method: string, more: Fields = {}): Promise<Answer> =>
  ask(path, { origin: APP, 'access-control-request-method': method, ...more }, 'OPTIONS');

/** What an answer says to browsers. */
function grantOf({ headers }: Pick<Answer, 'headers'>): Record<string, unknown> {
  const of = Object.entries(headers).filter(([name]) => name.startsWith('access-control-'));
  return Object.fromEntries(of.map(([name, value]) => [name.slice('access-control-'.length), value]));
}

describe('origins', () => {
  it.each([
    ['/list', APP, true],
    ['/list', 'https://a.shops.example.com:8443', true],
    ['/list', 'https://a.b.shops.example.com:8443', true],
    ['/list', 'https://pr-17.preview.example.com', true],
    ['/list', 'null', true],
    ['/list', 'http://app.example.com', false],
    ['/list', 'https://app.example.com:444', false],
    ['/list', 'https://APP.example.com', false],
    ['/list', 'https://app.example.com.evil.test', false],
    ['/list', 'https://evil.test#https://app.example.com', false],
    ['/list', 'https://shops.example.com:8443', false],
    ['/list', 'https://.shops.example.com:8443', false],
    ['/list', 'https://a..shops.example.com:8443', false],
    ['/list', 'https://a.shops.example.com', false],
    ['/list', 'https://evil.test/.shops.example.com:8443', false],
    ['/list', 'https://evil.test:1@a.shops.example.com:8443', false],
    ['/list', 'https://pr-17.preview.example.com.evil.test', false],
    ['/list', 'https://xpr-17.preview.example.com', false],
    ['/list', `${APP}, ${APP}`, false],
    ['/list', `https://pr-${'1'.repeat(4000)}.preview.example.com`, false],
    ['/given', 'null', false],
  ])('%s of %s: %s', async (path, origin, isGranted) => {
    const answer = await ask(path, { origin });
    expect(answer.status).toBe(200);
    expect(grantOf(answer)).toEqual(isGranted ? { 'allow-origin': origin } : {});
    expect(answer.headers['vary']).toBe('Origin');
    expect((await preflight(path, 'GET', { origin })).headers['access-control-allow-origin']).toBe(
      isGranted ? origin : undefined,
    );
  });

  it('are all granted the same by `*`, whose answers vary by nothing', async () => {
    for (const headers of [{ origin: 'https://evil.test' }, {}]) {
      const answer = await ask('/all', headers);
      expect(grantOf(answer)).toEqual({ 'allow-origin': '*', 'expose-headers': 'ETag' });
      expect(answer.headers['vary']).toBeUndefined();
    }
  });

  it('are varied by also without one, and beside what a service says', async () => {
    expect((await ask('/given')).headers['vary']).toBe('Origin');
    const upstream = holder.upstream as TestUpstream;
    for (const [said, expected] of [
      ['Accept-Language', 'Accept-Language, Origin'],
      ['Accept, origin', 'Accept, origin'],
      ['*', '*'],
    ] as const) {
      upstream.listener = (_, response) => void response.writeHead(200, { vary: said }).end('x');
      expect((await ask('/given', { origin: APP })).headers['vary']).toBe(expected);
    }
    upstream.listener = echo;
  });
});

describe('a preflight', () => {
  it('is granted what was asked for', async () => {
    const { upstream } = holder;
    const before = upstream?.requests.length;
    const answer = await preflight('/given', 'PATCH', { 'access-control-request-headers': 'x-a,x-b' });
    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(grantOf(answer)).toEqual({
      'allow-origin': APP,
      'allow-methods': 'PATCH',
      'allow-headers': 'x-a,x-b',
    });
    expect(answer.headers['vary']).toBe(
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    );
    expect(answer.headers['content-length']).toBeUndefined();
    expect(upstream?.requests.length).toBe(before);
  });

  it('is granted what the route says', async () => {
    const more = {
      'access-control-request-headers': 'x-evil',
      'access-control-request-private-network': 'true',
    };
    expect(grantOf(await preflight('/full', 'PUT', more))).toEqual({
      'allow-origin': APP,
      'allow-credentials': 'true',
      'allow-methods': 'PUT, DELETE',
      'allow-headers': 'X-One',
      'max-age': '600',
      'allow-private-network': 'true',
    });
    expect(grantOf(await ask('/full', { origin: APP }))).toEqual({
      'allow-origin': APP,
      'allow-credentials': 'true',
      'expose-headers': 'ETag, X-Two',
    });
    expect(grantOf(await preflight('/given', 'PUT', more))).not.toHaveProperty('allow-private-network');
  });

  it('of an origin that is not listed is answered without a grant', async () => {
    const answer = await preflight('/full', 'PUT', { origin: 'https://evil.test' });
    expect(answer.status).toBe(204);
    expect(grantOf(answer)).toEqual({});
    expect(answer.headers['vary']).toMatch(/^Origin, /);
  });

  it.each([
    ['/shut', 'PUT', 'before identity'],
    ['/coded', 'GET', 'for a controller'],
    ['/coded/events', 'GET', 'for events of a controller'],
    ['/told', 'GET', 'for an answer of the gateway'],
    ['/split', 'GET', 'for the route of the method'],
    ['/nowhere', 'PUT', 'for what no route takes, by the defaults'],
  ])('of %s %s is granted %s', async (path, method) => {
    const answer = await preflight(path, method);
    expect(answer.status).toBe(204);
    expect(grantOf(answer)).toMatchObject({ 'allow-origin': APP, 'allow-methods': method });
  });

  it.each([
    ['/off', 'GET', 200],
    ['/split', 'PUT', 405],
    ['/coded', 'POST', 405],
    // Whoever takes the OPTIONS lets pages call, but not with this method.
    ['/gap', 'PUT', 200],
  ])('of %s %s, whose route has none, is a request like others', async (path, method, status) => {
    const answer = await preflight(path, method);
    expect(answer.status).toBe(status);
    expect(grantOf(answer)).toEqual({});
    if (status === 200) expect(answer.json()).toMatchObject({ method: 'OPTIONS' });
  });

  it('finds a route by the names of the fields that it wants', async () => {
    expect(
      grantOf(await preflight('/beta', 'GET', { 'access-control-request-headers': 'x-beta' })),
    ).toMatchObject({
      'allow-headers': 'x-beta',
    });
    // By the defaults: no route takes it.
    expect((await preflight('/beta', 'GET')).headers).not.toHaveProperty('access-control-allow-headers');
  });

  it.each([
    ['/asked', 'x-one', 'route'],
    ['/asked', 'X-Two, x-other', 'route'],
    // The others may have been granted before.
    ['/asked', 'x-three', 'route'],
    ['/asked', 'x-three, x-four', 'route'],
    ['/asked?open=yes', 'x-other', 'route'],
    ['/asked?open=no', 'x-other', 'defaults'],
    ['/asked', 'x-five', 'nobody'],
    ['/asked', 'x-one, x-five', 'nobody'],
    // Without the field it is another route's, and a browser that may send it may leave it out.
    ['/asked?open=yes', 'x-five', 'nobody'],
    ['/kept', 'x-other', 'route'],
    // Pages need not name what they accept.
    ['/typed', 'x-other', 'nobody'],
    ['/wide/both', 'x-other', 'route'],
    ['/wide/both', 'x-key', 'nobody'],
    ['/wide/both', 'x-a', 'nobody'],
    ['/wide/both/more', 'x-key', 'route'],
    ['/hosted', 'x-key', 'defaults', 'b.other'],
    ['/hosted', 'x-key', 'nobody', 'a.test'],
    ['/hosted', 'x-key', 'route', 'b.test'],
    ['/hosted', 'x-other', 'route', 'b.test'],
    ['/hosted', 'x-other', 'nobody', 'b.other'],
    ['/versions', 'x-other', 'nobody'],
    // Nobody knows which version it will be, and one of them grants nothing.
    ['/versions', 'x-version', 'nobody'],
  ] as const)(
    'for %s that names %s is granted by %s',
    async (path, names, by, host: string = 'gateway.test') => {
      const answer = await preflight(path, 'PUT', { host, 'access-control-request-headers': names });
      // Only what the routes say has credentials.
      expect(grantOf(answer)).toEqual(
        by === 'nobody'
          ? {}
          : {
              'allow-origin': APP,
              'allow-methods': 'PUT',
              'allow-headers': names,
              ...(by === 'route' ? { 'allow-credentials': 'true' } : {}),
            },
      );
    },
  );

  it('that two routes could be meant by is granted what both grant', async () => {
    const names = { 'access-control-request-headers': 'x-less' };
    expect(grantOf(await preflight('/differing', 'PUT', names))).toEqual({
      'allow-origin': APP,
      'allow-methods': 'PUT',
      'allow-headers': 'X-Less',
      'max-age': '300',
    });
    expect(grantOf(await preflight('/differing', 'PUT'))).toMatchObject({ 'allow-credentials': 'true' });
    expect(grantOf(await preflight('/differing', 'PUT', { ...names, origin: 'https://evil.test' }))).toEqual(
      {},
    );
  });

  it('needs an origin and a method', async () => {
    expect((await ask('/given', { origin: APP }, 'OPTIONS')).json()).toMatchObject({ method: 'OPTIONS' });
    const headers = { 'access-control-request-method': 'GET' };
    expect((await ask('/given', headers, 'OPTIONS')).json()).toMatchObject({ method: 'OPTIONS' });
    const odd = await preflight('/given', 'GET, PUT');
    expect(odd.json()).toMatchObject({ method: 'OPTIONS' });
  });

  it('is granted no names that are none', async () => {
    for (const names of ['x-a, x b', 'x-a,'.repeat(2000)]) {
      const answer = await preflight('/given', 'GET', { 'access-control-request-headers': names });
      expect(grantOf(answer)).toEqual({ 'allow-origin': APP, 'allow-methods': 'GET' });
    }
  });
});

describe('an answer', () => {
  it.each([
    ['/shut', 401],
    ['/late', 504],
    ['/down', 502],
    ['/nowhere', 404],
    ['/moved', 307],
    ['/told', 200],
    ['/coded', 200],
    ['/coded/nothing', 404],
    ['/coded/events', 200],
  ])('of %s with status %i carries the grant', async (path, status) => {
    const { upstream } = holder as { upstream: TestUpstream };
    if (path === '/late') upstream.listener = () => undefined;
    const answer = await ask(path, { origin: APP });
    upstream.listener = echo;
    expect(answer.status).toBe(status);
    expect(grantOf(answer)).toMatchObject({ 'allow-origin': APP });
    expect(answer.headers['vary']).toMatch(/Origin$/);
    expect(grantOf(await ask(path === '/late' ? '/told' : path, { origin: 'https://evil.test' }))).toEqual(
      {},
    );
  });

  it('that says to wait carries the grant', async () => {
    await ask('/limited', { origin: APP });
    const answer = await ask('/limited', { origin: APP });
    expect(answer.status).toBe(429);
    expect(grantOf(answer)).toEqual({ 'allow-origin': APP, 'expose-headers': 'X-Request-Id' });
  });

  it('has one grant, whatever the service says', async () => {
    const upstream = holder.upstream as TestUpstream;
    upstream.listener = (_, response) =>
      void response
        .writeHead(200, [
          ['Access-Control-Allow-Origin', 'https://evil.test'],
          ['access-control-allow-credentials', 'true'],
          ['Access-Control-Expose-Headers', '*'],
          ['Access-Control-Allow-Private-Network', 'true'],
        ])
        .end('x');
    expect(grantOf(await ask('/given', { origin: APP }))).toEqual({ 'allow-origin': APP });
    expect(grantOf(await ask('/given', { origin: 'https://evil.test' }))).toEqual({});
    upstream.listener = echo;
  });

  it('keeps its trailers and early hints', async () => {
    const upstream = holder.upstream as TestUpstream;
    upstream.listener = (_, response) => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('x');
      response.addTrailers({ 'x-sum': '7' });
      response.end();
    };
    const answer = await ask('/given', { origin: APP });
    expect(answer.headers['trailer']).toBe('x-sum');
    upstream.listener = echo;
  });
});

describe('at load', () => {
  it.each([
    [{ origins: '*', credentials: true }, /never go with `\*`/],
    [{ origins: [APP, '*'], credentials: true }, /never go with `\*`/],
    [{ origins: [{ regex: '.*' }], credentials: true }, /takes any origin/],
    [{ origins: ['null'], credentials: true }, /no `null`/],
    [{ origins: [{ regex: '(a)\\1' }] }, /RE2 syntax/],
    [{ origins: [{ regex: '(?=a)a' }] }, /RE2 syntax/],
    [{ origins: ['https://app.example.com/'] }, /no slash at its end/],
    [{ origins: ['https://App.example.com'] }, /lower case/],
    [{ origins: ['https://app.example.com:443'] }, /no port/],
    [{ origins: ['https://app.*.com'] }, /expected an origin/],
    [{ origins: [] }, /./],
    [{ origins: [APP], headers: ['*'] }, /no `\*`/],
  ])('%j is a fault', (cors, message) => {
    expect(() => readConfig(gatewaySchema, configOf('http://127.0.0.1:9', cors), 'gateway.yaml', {})).toThrow(
      message,
    );
  });
});
