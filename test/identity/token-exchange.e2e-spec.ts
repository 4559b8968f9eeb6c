import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, jwtVerify } from 'jose';
import { Provider } from 'oidc-provider';
import { useShop } from '../support/shop.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const SECRET = 'exchange:secret %&+ of tests';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

process.env['EXCHANGE_SECRET'] = SECRET;

interface Asked {
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-exchange-'));
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync(join(folder, 'client.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));

/** A token endpoint that says what a test has it say. */
let issuer: TestUpstream;
let provider: TestUpstream;
const CONTROL = 'gatehouse-control-question';
const asked: Asked[] = [];
let answer: (response: ServerResponse, form: URLSearchParams) => void;

beforeAll(async () => {
  issuer = await startUpstream((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(text);
      // What the gateway asks by itself, to find out how the endpoint is, is of no caller.
      if (form.get('subject_token') !== CONTROL)
        asked.push({ form, authorization: request.headers.authorization });
      answer(response, form);
    });
  });
  provider = await startUpstream();
  provider.listener = oidc(provider.url);
});

const TOKEN = { issued_token_type: ACCESS_TOKEN, token_type: 'Bearer' };
const say = (status: number, body: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const upstreamTo = (echo: string, exchange: object) => ({
  targets: [echo],
  circuitBreaker: 'off',
  retry: { attempts: 1 },
  identity: { exchange: { clientId: 'the gateway', clientSecretEnv: 'EXCHANGE_SECRET', ...exchange } },
});

let echo: TestUpstream;
beforeAll(async () => {
  echo = await startUpstream();
});
const ids = ['basic', 'post', 'key', 'real', 'brief'] as const;
const holder = useShop({
  upstreams: () => {
    const url = `${issuer.url}/token`;
    return {
      basic: upstreamTo(echo.url, { url, audience: 'users', scope: 'read write' }),
      post: upstreamTo(echo.url, {
        url,
        clientAuth: 'client_secret_post',
        resource: ['https://a/', 'https://b/'],
      }),
      key: upstreamTo(echo.url, {
        url,
        clientSecretEnv: undefined,
        privateKeyFile: join(folder, 'client.pem'),
      }),
      real: upstreamTo(echo.url, { url: `${provider.url}/token`, audience: 'users' }),
      brief: upstreamTo(echo.url, { url, timeout: '50ms' }),
    };
  },
  routes: [
    ...ids.map((id) => ({ id, match: { path: `/${id}` }, upstream: id, policies: { deadline: '3s' } })),
    { id: 'open', match: { path: '/open' }, upstream: 'basic', policies: { authentication: 'public' } },
    { id: 'copied', match: { path: '/copied' }, upstream: 'echo', mirror: { upstream: 'basic' } },
    {
      id: 'composed',
      match: { methods: ['GET'], path: '/composed' },
      aggregate: {
        calls: { one: { upstream: 'basic', path: '/one', required: true } },
        response: { seen: 'one.headers' },
      },
    },
  ],
});

beforeEach(() => {
  asked.length = 0;
  echo.requests.length = 0;
  let count = 0;
  answer = (response, form) => {
    if (form.get('subject_token') === CONTROL) return say(400, { error: 'invalid_request' })(response);
    count += 1;
    const text = `for-${form.get('audience') ?? 'any'}-${count}-${decodeJwt(form.get('subject_token') ?? '').sub}`;
    say(200, { ...TOKEN, access_token: text, expires_in: 60 })(response);
  };
});

afterAll(async () => {
  await Promise.all([issuer.stop(), provider.stop(), echo.stop()]);
  rmSync(folder, { recursive: true });
  delete process.env['EXCHANGE_SECRET'];
});

function bearer(token: string): { readonly headers: { readonly authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}

const fresh = (as: 'user' | 'admin' = 'user'): Promise<string> => holder.shop.services.identity.token(as);

describe('a token that is exchanged', () => {
  it('stands in the place of that of the client, and is asked for as RFC 8693 says', async () => {
    const token = await fresh();
    const { headers } = (await holder.shop.call('/basic', bearer(token))).json<Echo>();
    expect(headers['authorization']).toBe('Bearer for-users-1-2');
    expect(JSON.stringify(headers)).not.toContain(token);
    const [{ form, authorization }] = asked as [Asked];
    expect(Object.fromEntries(form)).toEqual({
      grant_type: GRANT,
      subject_token: token,
      subject_token_type: ACCESS_TOKEN,
      requested_token_type: ACCESS_TOKEN,
      audience: 'users',
      scope: 'read write',
    });
    const pair = Buffer.from(String(authorization).slice(6), 'base64').toString().split(':');
    expect(pair.map((part) => new URLSearchParams(`a=${part}`).get('a'))).toEqual(['the gateway', SECRET]);
  });

  it('is asked for with the secret in the form, and for several resources', async () => {
    await holder.shop.call('/post', { as: 'user' });
    const [{ form, authorization }] = asked as [Asked];
    expect(authorization).toBeUndefined();
    expect([form.get('client_id'), form.get('client_secret')]).toEqual(['the gateway', SECRET]);
    expect(form.getAll('resource')).toEqual(['https://a/', 'https://b/']);
  });

  it('is asked for with a key in place of a secret', async () => {
    await holder.shop.call('/key', { as: 'user' });
    const [{ form }] = asked as [Asked];
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const { payload } = await jwtVerify(
      form.get('client_assertion') ?? '',
      createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })),
      {
        audience: `${issuer.url}/token`,
        issuer: 'the gateway',
        subject: 'the gateway',
        requiredClaims: ['jti', 'exp'],
      },
    );
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
  });

  it('is asked for once for any number of requests, and kept; each caller has its own', async () => {
    const [bob, alice] = [await fresh('user'), await fresh('admin')];
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const { headers } = (
          await holder.shop.call('/basic', bearer(at % 2 === 0 ? bob : alice))
        ).json<Echo>();
        return headers['authorization'];
      }),
    );
    expect(asked).toHaveLength(2);
    expect(new Set(all.filter((_, at) => at % 2 === 0)).size).toBe(1);
    expect(all[0]).toMatch(/-2$/);
    expect(all[1]).toMatch(/-1$/);
    await holder.shop.call('/basic', bearer(bob));
    expect(asked).toHaveLength(2);
  });

  it('goes along with the calls of composed answers and with mirrors', async () => {
    const composed = await holder.shop.call('/composed', { as: 'user' });
    expect(composed.json<{ seen: Record<string, string> }>().seen['authorization']).toMatch(
      /^Bearer for-users/,
    );
    await holder.shop.call('/copied', { as: 'user' });
    const copy = await seen('/copied');
    expect(copy).toMatch(/^Bearer for-users/);
  });

  it.each([
    ['somebody with an API key', '/basic', { apiKey: 'test-key-of-the-mobile-app' }],
    ['nobody in particular, with a token that nobody has looked at', '/open', { as: 'user' as const }],
  ])('is none for %s, whose service gets none', async (_, path, options) => {
    const { headers } = (await holder.shop.call(path, options)).json<Echo>();
    expect(headers).not.toHaveProperty('authorization');
    expect(asked).toHaveLength(0);
  });

  it('is what a real provider gives that speaks the grant', async () => {
    const { headers } = (await holder.shop.call('/real', { as: 'user' })).json<Echo>();
    expect(decodeJwt(String(headers['authorization']).slice(7))).toMatchObject({
      iss: provider.url,
      aud: 'users',
      sub: '2',
    });
  });
});

describe('an exchange that fails', () => {
  const bad = (body: object) => say(200, { ...TOKEN, access_token: 'x', ...body });

  it.each<[string, typeof answer, number]>([
    ['a refusal', say(400, { error: 'invalid_target', error_description: 'SECRET-WORD' }), 502],
    ['our credentials being refused', say(401, { error: 'invalid_client' }), 502],
    ['no token', bad({ access_token: undefined }), 502],
    ['a token with a line break', bad({ access_token: 'a\r\nx-user-id: 1' }), 502],
    ['a token that is too long', bad({ access_token: 'x'.repeat(32_769) }), 502],
    ['a token of another type', bad({ token_type: 'DPoP' }), 502],
    ['a token that nobody says what it is', bad({ issued_token_type: undefined }), 502],
    ['no JSON', (response) => void response.end('<html>SECRET-WORD'), 502],
    [
      'a redirect',
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      502,
    ],
    ['an outage', say(503, {}), 503],
    ['too much asked', say(429, {}), 503],
    ['an endless answer', (response) => void response.end('x'.repeat(65_537)), 503],
    ['a connection that breaks', (response) => void response.destroy(), 503],
  ])('by %s reaches no service, and tells nothing', async (_, says, status) => {
    answer = says;
    const token = await fresh();
    const refused = await holder.shop.call('/basic', bearer(token));
    expect(refused.status).toBe(status);
    expect(refused.json()).toMatchObject({
      code: status === 502 ? 'upstream-rejected' : 'identity-unavailable',
    });
    expect(echo.requests).toHaveLength(0);
    const line = JSON.stringify(await holder.shop.lineOf(refused));
    for (const secret of [token, token.split('.')[2] as string, SECRET, 'SECRET-WORD']) {
      expect(refused.text).not.toContain(secret);
      expect(line).not.toContain(secret);
    }
  });

  it('because nobody answers in time is told so, and asks again only for the next request', async () => {
    answer = () => undefined;
    const refused = await holder.shop.call('/brief', { as: 'user' });
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(asked).toHaveLength(1);
    expect(await counted('brief', 'failed')).toBe(1);
  });

  it('by a refusal is remembered, so that who keeps asking does not ask the issuer', async () => {
    answer = say(400, { error: 'invalid_request' });
    const before = { refused: await counted('basic', 'refused'), spared: await counted('basic', 'spared') };
    const token = await fresh();
    for (let turn = 0; turn < 3; turn += 1)
      expect((await holder.shop.call('/basic', bearer(token))).status).toBe(502);
    expect(asked).toHaveLength(1);
    expect((await counted('basic', 'refused')) - before.refused).toBe(1);
    expect((await counted('basic', 'spared')) - before.spared).toBe(2);
    expect(await counted('basic', 'exchanged')).toBeGreaterThan(0);
    expect(await holder.shop.metrics()).toContain(
      'gatehouse_token_exchange_duration_seconds_count{upstream="basic"}',
    );
  });

  it('again and again asks nobody any more, while tokens that are kept go on', async () => {
    const kept = await fresh();
    expect((await holder.shop.call('/post', bearer(kept))).status).toBe(200);
    answer = say(500, {});
    for (let turn = 0; turn < 12; turn += 1) await holder.shop.call('/post', { as: 'user' });
    const before = asked.length;
    expect((await holder.shop.call('/post', { as: 'user' })).status).toBe(503);
    expect(asked).toHaveLength(before);
    expect((await holder.shop.call('/post', bearer(kept))).status).toBe(200);
  });

  it('of some tokens only keeps those of others from nothing', async () => {
    const bad = new Set(await Promise.all(Array.from({ length: 12 }, () => fresh())));
    const good = answer;
    answer = (response, form) =>
      bad.has(form.get('subject_token') ?? '') ? say(500, {})(response) : good(response, form);
    for (const token of bad) expect((await holder.shop.call('/key', bearer(token))).status).toBe(503);
    expect((await holder.shop.call('/key', bearer(await fresh()))).status).toBe(200);
  });
});

async function counted(upstream: string, outcome: string): Promise<number> {
  const line = `gatehouse_token_exchanges_total{upstream="${upstream}",outcome="${outcome}"} `;
  return Number((await holder.shop.metrics()).split(line)[1]?.split('\n')[0] ?? 0);
}

async function seen(path: string): Promise<string | undefined> {
  for (let turn = 0; turn < 2000; turn += 1) {
    const request = echo.requests.findLast(({ url }) => url === path);
    if (request !== undefined) return request.headers.authorization;
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  return undefined;
}

/** A provider with the grant as an extension, which believes the tokens of the sample issuer. */
function oidc(url: string): TestUpstream['listener'] {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const configuration = {
    jwks: { keys: [{ ...key.export({ format: 'jwk' }), alg: 'ES256', kid: 'one', use: 'sig' }] },
    clients: [
      {
        client_id: 'the gateway',
        client_secret: SECRET,
        grant_types: [GRANT],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_basic',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: ['not-a-secret'] },
    features: { devInteractions: { enabled: false } },
  };
  const server = new Provider(url, configuration) as unknown as OidcServer;
  const parameters = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'];
  server.registerGrantType(
    GRANT,
    async (context: OidcContext) => {
      const { subject_token: subject = '', audience } = context.oidc.params;
      const token = new server.AccessToken({
        client: context.oidc.client,
        accountId: decodeJwt(subject).sub,
        gty: 'token-exchange',
        scope: '',
      });
      token.resourceServer = new server.ResourceServer(String(audience), {
        audience,
        scope: '',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      });
      context.body = { ...TOKEN, access_token: await token.save(), expires_in: token.expiration };
    },
    parameters,
  );
  return server.callback() as TestUpstream['listener'];
}

interface OidcContext {
  body: unknown;
  readonly oidc: { readonly params: Readonly<Record<string, string>>; readonly client: unknown };
}

interface OidcServer {
  registerGrantType(
    name: string,
    handler: (context: OidcContext) => Promise<void>,
    parameters: string[],
  ): void;
  readonly AccessToken: new (input: object) => {
    resourceServer: unknown;
    save(): Promise<string>;
    readonly expiration: number;
  };
  readonly ResourceServer: new (name: string, info: object) => unknown;
  callback(): unknown;
}
