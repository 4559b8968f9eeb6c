import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityVerifier } from '../../examples/services/verify-identity.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { grpcClient, unary } from '../support/pass-gateway.ts';
import { useShop } from '../support/shop.ts';
import { open } from '../support/socket-client.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

type Fields = Readonly<Record<string, unknown>>;

const PAGE = 'https://app.example.com';
const HEADER = 'x-gatehouse-identity';
const OWN_COOKIES =
  '__Host-token=x.y.z; sticky-sticky=aaa; canary-canary=1.bbb; theme=dark; other__Host-token=1';
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
const { privateKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey: ed, publicKey: edPublic } = generateKeyPairSync('ed25519');
writeFileSync(join(folder, 'first.pem'), ec.export({ format: 'pem', type: 'pkcs8' }));
writeFileSync(join(folder, 'second.json'), JSON.stringify(ed.export({ format: 'jwk' })));

process.env['LEARN_SECRET'] = 'a secret of the tests, 32 characters and more';

let recorder: TestUpstream;
let kinds: KindsServer;
let sockets: SocketService;
let client: ReturnType<typeof grpcClient>;
beforeAll(async () => {
  [recorder, kinds] = await Promise.all([startUpstream(), new KindsServer().start()]);
});

const to = (id: string, upstream: string, more: object = {}): Readonly<Record<string, unknown>> => ({
  id,
  match: { path: `/${id}/*` },
  upstream,
  ...more,
});
const open_ = { policies: { authentication: 'public' } };
const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };

const holder = useShop({
  identity: {
    tokens: { cookie: { name: '__Host-token', origins: [PAGE] } },
    signing: {
      issuer: 'https://edge.example',
      keys: ['first.pem', 'second.json'].map((one) => join(folder, one)),
    },
  },
  more: { listeners: [{ port: 0, http2: true }] },
  upstreams: ({ feed }) => ({
    users: { targets: [recorder.url], ...calm, identity: { token: true } },
    signed: {
      targets: [recorder.url],
      ...calm,
      identity: {
        token: { claims: ['roles', 'permissions', 'scopes', 'email', 'tenant', 'tier'], jti: true },
      },
    },
    named: {
      targets: [recorder.url],
      ...calm,
      identity: {
        headers: ['X-User-Id'],
        token: { audience: ['billing', 'ledger'], header: 'X-Billing-Caller', anonymous: true, claims: [] },
      },
    },
    strict: { targets: [recorder.url], ...calm, identity: { allowHeaders: ['accept', 'x-app-*', 'cookie'] } },
    hedged: {
      targets: [recorder.url, feed.url.replace(/\d+$/, '1')],
      retry: { attempts: 2, on: ['connect'] },
      circuitBreaker: 'off',
      identity: { token: true },
    },
    sticky: { targets: [recorder.url], sticky: { secretEnv: 'LEARN_SECRET' } },
    kinds: {
      protocol: 'grpc',
      descriptorSet: 'proto/test/kinds.binpb',
      targets: [kinds.url],
      circuitBreaker: 'off',
      identity: { token: true },
    },
  }),
  routes: [
    to('plain', 'echo'),
    to('signed', 'signed'),
    to('named', 'named'),
    to('anyone', 'named', open_),
    to('nobody', 'signed', open_),
    to('said', 'signed', { identity: { authorization: 'forward' } }),
    to('kept', 'echo', { identity: { authorization: 'remove' } }),
    to('strict', 'strict'),
    to('narrow', 'strict', { identity: { allowHeaders: [] } }),
    to('mirrored', 'echo', { mirror: { upstream: 'signed' } }),
    to('hedged', 'hedged'),
    to('sticky', 'sticky'),
    to('canary', 'echo', {
      canary: { upstream: 'signed', weight: '0%', sticky: 'cookie', secretEnv: 'LEARN_SECRET' },
      policies: { authentication: 'public' },
    }),
    to('edited', 'signed', { policies: { transform: { request: { removeHeaders: [HEADER] } } } }),
    to('traced', 'signed', { match: { path: '/traced', methods: ['TRACE'] } }),
    { ...to('socket', 'signed', { webSocket: { origins: [PAGE] } }), match: { path: '/socket' } },
    {
      id: 'composed',
      match: { methods: ['GET'], path: '/composed' },
      aggregate: {
        calls: { one: { upstream: 'signed', path: '/one', required: true } },
        response: { url: 'one.url' },
      },
    },
    {
      id: 'translated',
      upstream: 'kinds',
      grpc: { service: 'test.v1.Kinds', metadata: { request: ['cookie'] } },
    },
    { id: 'passed', match: { path: '/test.v1.Kinds/*' }, upstream: 'kinds', passGrpc: true },
  ],
});

beforeAll(() => {
  sockets = echoSockets(recorder.server);
  client = grpcClient(holder.shop.gateway.url);
});
beforeEach(() => void (recorder.requests.length = 0));
afterAll(async () => {
  sockets.stop();
  client.close();
  kinds.stop();
  await recorder.stop();
  rmSync(folder, { recursive: true });
  delete process.env['LEARN_SECRET'];
});

const verifier = (service: string) =>
  identityVerifier({
    jwks: `${holder.shop.gateway.url}/.well-known/jwks.json`,
    issuer: 'https://edge.example',
    service,
  });

async function heard(
  path: string,
  options: Parameters<typeof holder.shop.call>[1] = { as: 'user' },
): Promise<Echo> {
  const answer = await holder.shop.call(path, options);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json<Echo>();
}

/** How each door has the service behind `upstream` called, and what that hears. */
const DOORS: readonly (readonly [door: string, upstream: string, call: () => Promise<Fields>])[] = [
  ['a proxied request', 'signed', async () => (await heard('/signed/x')).headers],
  ['an attempt after one that failed', 'hedged', async () => (await heard('/hedged/x')).headers],
  ['a call of an aggregate', 'signed', async () => (await heard('/composed')) && lastHeaders('/one')],
  ['a view over REST', 'users', async () => (await ask('/api/homepage')) && lastHeaders('/users')],
  [
    'GraphQL over HTTP',
    'users',
    async () =>
      (await ask('/graphql', {
        method: 'POST',
        body: JSON.stringify({ query: '{ homepage { user { name } } }' }),
        headers: { 'content-type': 'application/json' },
      })) && lastHeaders('/users'),
  ],
  ['a mirror', 'signed', async () => (await heard('/mirrored/x')) && lastHeaders('/mirrored/x')],
  [
    'a WebSocket',
    'signed',
    async () => {
      const token = await holder.shop.services.identity.token('user');
      const socket = await open('/socket', {
        url: holder.shop.gateway.url,
        headers: { authorization: `Bearer ${token}`, [HEADER]: 'forged', origin: PAGE },
      });
      socket.socket.close();
      return (sockets.handshakes.at(-1) as { headers: Fields }).headers;
    },
  ],
  [
    'a call that was translated',
    'kinds',
    async () => (await ask('/test/echo', { method: 'POST', body: '{}', headers: JSON_TYPE })) && metadata(),
  ],
  [
    'a call of gRPC that was passed on',
    'kinds',
    async () => {
      const token = await holder.shop.services.identity.token('user');
      await unary(client, { fields: { authorization: `Bearer ${token}`, [HEADER]: 'forged' } });
      return metadata();
    },
  ],
];

const JSON_TYPE = { 'content-type': 'application/json' };

async function ask(path: string, options: object = {}): Promise<true> {
  await holder.shop.call(path, { as: 'user', ...options });
  return true;
}

async function lastHeaders(path: string): Promise<Fields> {
  for (let turn = 0; turn < 2000; turn += 1) {
    const request = recorder.requests.findLast(({ url }) => url?.startsWith(path) === true);
    if (request !== undefined) return request.headers;
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  throw new Error(`nobody has asked for ${path}`);
}

function metadata(): Fields {
  return kinds.lastMetadata?.getMap() ?? {};
}

describe('a signed identity', () => {
  it.each(DOORS)(
    'comes with %s, for that service alone, and without the token of the client',
    async (_, upstream, ask) => {
      const fields = await ask();
      const token = String(fields[HEADER]);
      const payload = await verifier(upstream)(token);
      expect(payload).toMatchObject({
        sub: '2',
        roles: ['user'],
        iss: 'https://edge.example',
        aud: upstream,
      });
      expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
      expect(fields['authorization']).toBeUndefined();
      expect(fields['x-user-id']).toBe('2');
      await expect(verifier('another')(token)).rejects.toThrow('aud');
    },
  );

  it('is one text for many requests of a caller, and another one for another', async () => {
    const { identity } = holder.shop.services;
    const [bob, alice] = await Promise.all([identity.token('user'), identity.token('admin')]);
    const texts: unknown[] = [];
    for (const token of [bob, bob, alice])
      texts.push(
        (await heard('/signed/x', { headers: { authorization: `Bearer ${token}` } })).headers[HEADER],
      );
    expect(texts[0]).toBe(texts[1]);
    expect(texts[2]).not.toBe(texts[0]);
  });

  it('says what is chosen', async () => {
    const claims = decodeJwt(String((await heard('/signed/x')).headers[HEADER]));
    expect(claims).toMatchObject({
      email: 'bob@example.com',
      tenant: 'acme',
      permissions: expect.any(Array),
      jti: expect.any(String),
    });
    const named = (await heard('/named/x')).headers;
    expect(decodeJwt(String(named['x-billing-caller']))).toEqual({
      iss: 'https://edge.example',
      aud: ['billing', 'ledger'],
      sub: '2',
      idp: holder.shop.services.identity.issuer,
      iat: expect.any(Number),
      exp: expect.any(Number),
    });
    expect(named).toMatchObject({ 'x-user-id': '2' });
    expect(named).not.toHaveProperty('x-user-roles');
  });

  it('never makes a client a user of the same name', async () => {
    const { headers } = await heard('/signed/x', { apiKey: 'test-key-of-the-mobile-app' });
    const claims = decodeJwt(String(headers[HEADER]));
    expect(claims).toMatchObject({ client_id: 'mobile-app' });
    expect(claims).not.toHaveProperty('sub');
  });

  it('is for nobody in particular only where that was asked for', async () => {
    expect((await heard('/nobody/x', {})).headers).not.toHaveProperty(HEADER);
    const claims = decodeJwt(String((await heard('/anyone/x', {})).headers['x-billing-caller']));
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss']);
  });

  it('is no credential at the gateway itself', async () => {
    const token = String((await heard('/signed/x')).headers[HEADER]);
    const headers = { authorization: `Bearer ${token}` };
    expect((await holder.shop.call('/signed/x', { headers })).status).toBe(401);
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'gatehouse-identity+jwt', alg: 'ES256' });
  });

  it('stays away where the route takes it away, and from what a TRACE shows', async () => {
    expect((await heard('/edited/x')).headers).not.toHaveProperty(HEADER);
    await holder.shop.call('/traced', { as: 'user', method: 'TRACE' });
    expect(await lastHeaders('/traced')).not.toHaveProperty(HEADER);
  });
});

describe('the field of the token', () => {
  const spellings = [
    HEADER,
    'X_Gatehouse_Identity',
    'x.gatehouse.identity',
    'XGatehouseIdentity',
    'x-gatehouse--identity_',
  ];
  const own = ['x-billing-caller', 'X_Billing_Caller', 'x.billing.caller', 'XBILLINGCALLER'];

  it.each([...spellings, ...own])(
    "is not the client's to say as %s, at services that get none either",
    async (name) => {
      for (const path of ['/plain/x', '/signed/x', '/nobody/x', '/anyone/x', '/sticky/x']) {
        const { rawHeaders } = await heard(path, {
          as: 'user',
          headers: { [name]: 'forged', connection: `close, ${name}` },
        });
        expect(rawHeaders.join()).not.toContain('forged');
      }
    },
  );

  it("is not the client's to say in trailers", async () => {
    recorder.listener = (request, response) => {
      request.resume().on('end', () => response.end(JSON.stringify({ headers: request.trailers })));
    };
    const { speak } = await import('../support/client.ts');
    const token = await holder.shop.services.identity.token('user');
    const head = `POST /sticky/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\nConnection: close\r\n\r\n`;
    const text = await speak(
      holder.shop.gateway.url,
      `${head}1\r\nx\r\n0\r\nX-Billing_Caller: forged\r\nX-Gatehouse-Identity: forged\r\nX-Sum: 1\r\n\r\n`,
    );
    recorder.listener = (await import('../support/upstream.ts')).echo;
    expect(text).toContain('x-sum');
    expect(text).not.toContain('forged');
  });
});

describe('Authorization', () => {
  it.each([
    ['passes where nothing is said', '/plain/x', true],
    ['passes not where the service has a token of its own', '/signed/x', false],
    ['passes there where the route says so', '/said/x', true],
    ['passes not where the route says that', '/kept/x', false],
    ['passes not where it is not on the list', '/strict/x', false],
  ])('%s', async (_, path, passes) => {
    const { headers } = await heard(path, { as: 'user', headers: { dpop: 'proof' } });
    expect('authorization' in headers).toBe(passes);
    // Whose caller is known has been proved here; services get no proof that is used up.
    expect(headers).not.toHaveProperty('dpop');
  });
});

describe('a list of header fields', () => {
  const headers = {
    accept: 'text/x',
    'x-app-one': '1',
    x_app_two: '2',
    'x-else': '3',
    referer: 'http://a/',
    cookie: 'theme=dark',
    'content-type': 'text/plain',
    'content-language': 'de',
  };

  it('lets those pass, what describes the body, and what the gateway says', async () => {
    const seen = (await heard('/strict/x', { as: 'user', method: 'POST', body: 'text', headers })).headers;
    expect(seen).toMatchObject({
      accept: 'text/x',
      'x-app-one': '1',
      cookie: 'theme=dark',
      'content-type': 'text/plain',
      'content-length': '4',
      'x-user-id': '2',
      'x-forwarded-for': '127.0.0.1',
    });
    for (const name of ['x_app_two', 'x-else', 'referer', 'content-language', 'authorization'])
      expect(seen).not.toHaveProperty(name);
  });

  it("is the route's, where it has one", async () => {
    const seen = (await heard('/narrow/x', { as: 'user', headers })).headers;
    expect(seen).toMatchObject({ 'content-type': 'text/plain', 'x-user-id': '2' });
    for (const name of ['accept', 'x-app-one', 'cookie']) expect(seen).not.toHaveProperty(name);
  });
});

describe('a cookie that is between the client and the gateway', () => {
  it.each(['/plain/x', '/signed/x', '/sticky/x', '/canary/x', '/anyone/x'])(
    'never reaches the service of %s, and others do',
    async (path) => {
      const { headers } = await heard(path, { as: 'user', headers: { cookie: OWN_COOKIES } });
      expect(headers['cookie']).toBe('theme=dark; other__Host-token=1');
    },
  );

  it.each([
    ['mirror', '/mirrored/x'],
    ['only cookie', '/plain/x'],
  ])('never reaches a service by a %s', async (_, path) => {
    const token = await holder.shop.services.identity.token('user');
    await heard(path, { headers: { cookie: `__Host-token=${token}` } });
    if (path !== '/plain/x') expect(await lastHeaders(path)).not.toHaveProperty('cookie');
    expect(holder.shop.echo.requests.at(-1)?.headers).not.toHaveProperty('cookie');
  });

  it('never reaches a service of gRPC, passed on or in metadata that a list names', async () => {
    const token = await holder.shop.services.identity.token('user');
    const authorization = `Bearer ${token}`;
    await unary(client, { fields: { authorization, cookie: `__Host-token=${token}; a=b` } });
    expect(String(metadata()['cookie'])).toBe('a=b');
    const headers = { ...JSON_TYPE, cookie: `__Host-token=${token}; a=c`, origin: PAGE };
    await holder.shop.call('/test/echo', { method: 'POST', body: '{}', headers });
    expect(String(metadata()['cookie'])).toBe('a=c');
  });
});

describe('the key set', () => {
  const path = '/.well-known/jwks.json';

  it('has every public key, may be kept, and nothing private', async () => {
    const answer = await holder.shop.call(path);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/jwk-set+json',
      'cache-control': 'public, max-age=300',
    });
    const { keys } = answer.json<{ keys: Record<string, string>[] }>();
    expect(keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
    expect(keys[1]).toMatchObject({ x: edPublic.export({ format: 'jwk' }).x, use: 'sig' });
    for (const key of keys)
      expect(
        Object.keys(key).every((name) => ['kty', 'crv', 'x', 'y', 'alg', 'use', 'kid'].includes(name)),
      ).toBe(true);
    for (const secret of [ec, ed].map((key) => key.export({ format: 'jwk' }).d))
      expect(answer.text).not.toContain(secret);
    const known = { 'if-none-match': String(answer.headers['etag']) };
    expect((await holder.shop.call(path, { headers: known })).status).toBe(304);
    expect((await holder.shop.call(path, { method: 'HEAD' })).text).toBe('');
  });
});
