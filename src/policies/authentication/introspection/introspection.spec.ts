import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, exportPKCS8, generateKeyPair, SignJWT } from 'jose';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { IntrospectionServer } from '../../../../test/support/introspection-server.ts';
import { createTestKey, signToken, type TestKey } from '../../../../test/support/key-server.ts';
import { startStageServer, type StageServer } from '../../../../test/support/stage-server.ts';
import type { PolicySet } from '../../order.ts';
import { AuthenticationStageFactory } from '../authentication.stage.ts';
import { Identity } from '../identity.ts';
import { identitySchema } from '../identity.schema.ts';

const SECRET = 'a secret: with + and %';
const SCHEMES: PolicySet = { authentication: { schemes: ['introspection'] } };
const gates: StageServer[] = [];
const identities: Identity[] = [];

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await turn();
}

let server: IntrospectionServer;
let key: TestKey;
let pem: string;
let aheadMs = 0;
let tokens = 0;

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await new IntrospectionServer().start();
  key = await createTestKey('ES256', 'answers');
  const pair = await generateKeyPair('ES256', { extractable: true });
  pem = await exportPKCS8(pair.privateKey);
  server.documents.set('/jwks', { keys: [key.publicJwk] });
  server.documents.set('/.well-known/openid-configuration', {
    issuer: server.issuer,
    jwks_uri: `${server.issuer}/jwks`,
    introspection_endpoint: server.url,
  });
});

afterAll(async () => {
  for (const one of identities) one.stop();
  await Promise.all(gates.map((gate) => gate.stop()));
  await server.stop();
});

beforeEach(() => {
  aheadMs = 0;
  server.answer = undefined;
  server.asked.length = 0;
});

const inSeconds = (seconds: number) => Math.floor((Date.now() + aheadMs) / 1000) + seconds;
const fresh = () => `opaque-${(tokens += 1)}`;

function identityOf(more: object = {}, rest: object = {}): Identity {
  const usual = { url: server.url, clientId: 'gateway', clientSecretEnv: 'SECRET', timeout: '600ms' };
  const options = identitySchema.parse({ introspection: { ...usual, ...more }, ...rest });
  const environment = { SECRET, KEY: pem };
  const identity = new Identity(options, { environment, clock: () => Date.now() + aheadMs });
  identity.start();
  identities.push(identity);
  return identity;
}

async function gateOf(identity: Identity, policies = SCHEMES): Promise<StageServer> {
  const stage = new AuthenticationStageFactory(identity).compile({ routeId: 'r', door: 'proxy', policies });
  const gate = await startStageServer(stage === undefined ? [] : [stage]);
  gates.push(gate);
  return gate;
}

const present = (gate: StageServer, token: string) => gate.get({ authorization: `Bearer ${token}` });
const outcome = async (gate: StageServer, token: string) => {
  const { status, body } = await present(gate, token);
  return status === 200 ? 200 : [status, body['code']];
};

describe('an active token', () => {
  let gate: StageServer;
  beforeAll(async () => {
    gate = await gateOf(identityOf({ issuer: server.issuer, audiences: ['api', 'api2'] }));
  });

  it('names its caller, and is asked about once', async () => {
    const more = { aud: ['x', 'api2'], roles: ['admin'], jti: 'j', email: 'a@example.com' };
    const token = server.knows(fresh(), { ...more, exp: inSeconds(60) });
    const first = await present(gate, token);
    expect(first.body).toMatchObject({
      principal: {
        id: 'alice',
        scheme: 'introspection',
        issuer: server.issuer,
        clientId: 'web',
        scopes: ['read', 'write'],
        roles: ['admin'],
        email: 'a@example.com',
      },
      synchronous: false,
    });
    expect((await present(gate, token)).body['synchronous']).toBe(true);
    expect(server.count(token)).toBe(1);
  });

  it('is asked about with the credentials of the gateway, encoded as a form is', async () => {
    await present(gate, server.knows(fresh(), { aud: 'api' }));
    const { form, headers } = server.asked[0] ?? {};
    expect(form).toMatchObject({ token_type_hint: 'access_token' });
    expect(headers).toMatchObject({ accept: 'application/json' });
    const basic = Buffer.from((headers?.authorization ?? '').slice(6), 'base64').toString();
    expect(basic).toBe('gateway:a+secret%3A+with+%2B+and+%25');
  });

  it('is asked about once by many at the same time', async () => {
    const token = server.knows(fresh(), { aud: 'api' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(gate, token)));
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(server.count(token)).toBe(1);
  });

  const FINE: readonly [string, object][] = [
    ['expires a moment ago, within the skew', { exp: -3 }],
    ['begins in a moment, within the skew', { nbf: 3 }],
    ['is bound by no key under DPoP in other letters', { token_type: 'bearer' }],
    ['is of this issuer', { iss: 'own' }],
  ];
  it.each(FINE)('that %s is accepted', async (_what, more) => {
    expect(await outcome(gate, server.knows(fresh(), { aud: 'api', ...timed(more) }))).toBe(200);
  });

  const WRONG: readonly [string, object, string?][] = [
    ['is not active after all', { active: false }],
    ['has no audience', { aud: undefined }],
    ['is for somebody else', { aud: 'billing' }],
    ['has an odd audience', { aud: { api: true } }],
    ['is of another issuer', { iss: 'https://evil.example.com' }],
    ['has an odd issuer', { iss: 7 }],
    ['has expired', { exp: -60 }, 'credentials-expired'],
    ['has an odd expiry', { exp: 'never' }],
    ['is not valid yet', { nbf: 60 }],
    ['has an odd beginning', { nbf: 'tomorrow' }],
    ['names nobody', { sub: undefined, client_id: undefined }],
    ['is of no type', { token_type: undefined }],
    ['is a refresh token', { token_type: 'refresh_token' }],
    ['is used as a refresh token', { token_use: 'refresh_token' }],
    ['calls itself Refresh', { typ: 'Refresh' }],
    ['is of an odd type', { token_type: ['Bearer'] }],
    ['is bound to a key that nobody names', { token_type: 'DPoP' }],
  ];
  it.each(WRONG)('that %s is refused', async (_what, more, code = 'credentials-invalid') => {
    const token = server.knows(fresh(), { aud: 'api', ...timed(more) });
    const answer = await present(gate, token);
    expect([answer.status, answer.body['code']]).toEqual([401, code]);
    expect(answer.headers['www-authenticate']).toContain('Bearer realm="gatehouse", error="invalid_token"');
    expect(answer.body['detail']).not.toMatch(/audience|issuer|type|bound/);
  });

  function timed(more: object): object {
    const seconds = (value: unknown) => (typeof value === 'number' ? inSeconds(value) : value);
    const { exp, nbf, iss } = more as Record<string, unknown>;
    return {
      ...more,
      ...('exp' in more && { exp: seconds(exp) }),
      ...('nbf' in more && { nbf: seconds(nbf) }),
      ...(iss === 'own' && { iss: server.issuer }),
    };
  }

  it('has to be a token before anybody is asked', async () => {
    for (const odd of ['a b', 'a"b', 'ä', 'a%00b', 'a&token=b', '=a'])
      expect(await outcome(gate, Buffer.from(odd).toString('latin1'))).toEqual([401, 'credentials-invalid']);
    expect(server.asked).toEqual([]);
  });
});

describe('without audiences', () => {
  it('an audience has to name the gateway, and there may be none', async () => {
    const gate = await gateOf(identityOf());
    expect(await outcome(gate, server.knows(fresh()))).toBe(200);
    expect(await outcome(gate, server.knows(fresh(), { aud: 'gateway' }))).toBe(200);
    expect(await outcome(gate, server.knows(fresh(), { aud: 'billing' }))).toEqual([
      401,
      'credentials-invalid',
    ]);
  });
});

describe('what is remembered', () => {
  it('of an active token ends with its ttl, and with its expiry', async () => {
    const gate = await gateOf(identityOf({ cache: { ttl: '30s' } }));
    const [long, short] = [server.knows(fresh()), server.knows(fresh(), { exp: inSeconds(10) })];
    await Promise.all([present(gate, long), present(gate, short)]);
    aheadMs = 9000;
    await Promise.all([present(gate, long), present(gate, short)]);
    expect([server.count(long), server.count(short)]).toEqual([1, 1]);
    aheadMs = 11_000;
    await Promise.all([present(gate, long), present(gate, short)]);
    expect([server.count(long), server.count(short)]).toEqual([1, 2]);
    aheadMs = 30_001;
    server.tokens.delete(long);
    expect(await outcome(gate, long)).toEqual([401, 'credentials-invalid']);
    expect(server.count(long)).toBe(2);
  });

  it('of a refused token ends after its own time', async () => {
    const gate = await gateOf(identityOf({ cache: { negativeTtl: '10s' } }));
    const token = fresh();
    for (const ms of [0, 9999, 10_001]) {
      aheadMs = ms;
      expect(await outcome(gate, token)).toEqual([401, 'credentials-invalid']);
    }
    expect(server.count(token)).toBe(2);
  });

  it('of made-up tokens pushes out no good ones, and is bounded', async () => {
    const gate = await gateOf(identityOf({ cache: { max: 2, negativeMax: 3 } }));
    const good = server.knows(fresh());
    await present(gate, good);
    const made = Array.from({ length: 4 }, fresh);
    for (const token of made) await present(gate, token);
    await present(gate, good);
    expect(server.count(good)).toBe(1);
    await present(gate, made[3] as string);
    expect(server.count(made[3] as string)).toBe(1);
    await present(gate, made[0] as string);
    expect(server.count(made[0] as string)).toBe(2);
  });

  it('goes on over a reload that leaves the section as it is', async () => {
    const identity = identityOf({}, { apiKeys: [] });
    const token = server.knows(fresh());
    await present(await gateOf(identity), token);
    const { introspection } = identity.section.options;
    const apiKeys = [{ sha256: 'a'.repeat(64), clientId: 'x' }];
    identity.apply({ ...identitySchema.parse({ apiKeys }), introspection });
    expect((await present(await gateOf(identity), token)).body['synchronous']).toBe(true);
    identity.apply({
      ...identity.section.options,
      introspection: { ...introspection, clockSkew: 1 } as never,
    });
    expect(await outcome(await gateOf(identity), token)).toBe(200);
    expect(server.count(token)).toBe(2);
  });
});

describe('an outage', () => {
  const huge = 'x'.repeat(70_000);
  const OUTAGES: readonly [string, (response: ServerResponse) => void][] = [
    ['answers 500', (response) => response.writeHead(500).end()],
    ['refuses the gateway itself', (response) => response.writeHead(401).end()],
    ['redirects', (response) => response.writeHead(307, { location: server.url }).end()],
    ['answers garbage', (response) => response.end('<html>')],
    ['answers with a list', (response) => response.end('[{"active":true}]')],
    ['says neither yes nor no', (response) => response.end('{"active":"true"}')],
    ['answers too much', (response) => response.end(`{"active":true,"x":"${huge}"}`)],
    [
      'answers with a bomb',
      (response) =>
        response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(`{"active":true,"x":"${'0'.repeat(5_000_000)}"}`)),
    ],
    ['breaks off', (response) => response.writeHead(200, { 'content-length': 99 }).write('{"acti')],
    ['hangs up', (response) => response.destroy()],
    ['says nothing', () => undefined],
    ['trickles', (response) => void response.writeHead(200).write('{"active"')],
    ['signs what nobody can check', (response) => signedAs(response, 'a.b.c')],
  ];

  it.each(OUTAGES)(
    'that %s lets nobody in who is not known, and is not remembered',
    async (_what, answer) => {
      const gate = await gateOf(identityOf());
      const [known, other] = [server.knows(fresh()), server.knows(fresh())];
      await present(gate, known);
      server.answer = answer;
      const refused = await present(gate, other);
      expect([refused.status, refused.body['code']]).toEqual([503, 'identity-unavailable']);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(await outcome(gate, known)).toBe(200);
      server.answer = undefined;
      expect(await outcome(gate, other)).toBe(200);
    },
  );

  it('that lasts has the server left alone, and says for how long', async () => {
    const circuitBreaker = { consecutiveFailures: 3, openFor: '20s' };
    const gate = await gateOf(identityOf({ circuitBreaker }));
    server.answer = (response) => response.writeHead(500).end();
    await until(async () => (await present(gate, fresh())).headers['retry-after'] === '20');
    const asked = server.asked.length;
    // Three tokens, and at most as many control questions.
    expect(asked).toBeGreaterThanOrEqual(3);
    const refused = await present(gate, fresh());
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '20']);
    expect(server.asked).toHaveLength(asked);
  });

  it.each([403, 429, 500, 503])('is none when only the tokens of one caller come to %d', async (status) => {
    const circuitBreaker = { consecutiveFailures: 2, openFor: '20s' };
    const gate = await gateOf(identityOf({ circuitBreaker }));
    server.answer = (response, { form }) => {
      if (form['token']?.startsWith('evil')) response.writeHead(status).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":false}');
    };
    for (let i = 0; i < 6; i += 1) {
      expect(await outcome(gate, `evil${fresh()}`)).toEqual([503, 'identity-unavailable']);
      // The verdict comes after the answer.
      await until(() => server.count('gatehouse-control-question') === i + 1);
    }
    server.answer = undefined;
    expect(await outcome(gate, server.knows(fresh()))).toBe(200);
  });

  it.each([400, 413])('is none when the server does not take some tokens, by %d', async (status) => {
    const circuitBreaker = { consecutiveFailures: 2, openFor: '20s' };
    const gate = await gateOf(identityOf({ circuitBreaker }));
    server.answer = (response) => response.writeHead(status).end();
    const unknown = [503, 'identity-unavailable'];
    for (let i = 0; i < 4; i += 1) expect(await outcome(gate, fresh())).toEqual(unknown);
    server.answer = undefined;
    expect(await outcome(gate, server.knows(fresh()))).toBe(200);
  });
});

function signedAs(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/token-introspection+jwt' }).end(text);
}

describe('a signed answer', () => {
  let gate: StageServer;
  beforeAll(async () => {
    const keys = { discovery: true, issuer: server.issuer, url: undefined };
    gate = await gateOf(identityOf({ ...keys, answers: 'signed' }));
  });

  const TYP = 'token-introspection+jwt';
  interface Signed {
    readonly claims?: object;
    readonly header?: object;
    readonly by?: TestKey;
  }
  async function asked({ claims = {}, header = {}, by = key }: Signed): Promise<unknown> {
    const usual = { iss: server.issuer, aud: 'gateway', iat: inSeconds(0) };
    const token_introspection = { active: true, token_type: 'Bearer', sub: 'alice' };
    const text = await new SignJWT({ ...usual, token_introspection, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'answers', typ: TYP, ...header })
      .sign(by.privateKey);
    server.answer = (response) => signedAs(response, text);
    return outcome(gate, fresh());
  }

  it.each<[string, Signed]>([
    ['is as it should be', {}],
    ['has the longer type', { header: { typ: `application/${TYP}` } }],
    ['is for several', { claims: { aud: ['x', 'gateway'] } }],
  ])('that %s is believed', async (_what, how) => {
    expect(await asked(how)).toBe(200);
    expect(server.asked[0]?.headers['accept']).toBe('application/token-introspection+jwt');
  });

  it.each<[string, Signed]>([
    ['is of no type', { header: { typ: undefined } }],
    ['is an ID token', { header: { typ: 'JWT' } }],
    ['is of another issuer', { claims: { iss: 'https://evil.example.com' } }],
    ['is for another client', { claims: { aud: 'other' } }],
    ['is for nobody', { claims: { aud: undefined } }],
    ['was recorded long ago', { claims: { iat: Math.floor(Date.now() / 1000) - 120 } }],
    ['was made in the future', { claims: { iat: Math.floor(Date.now() / 1000) + 120 } }],
    ['has no date', { claims: { iat: undefined } }],
    ['has expired', { claims: { exp: 1 } }],
    ['has a key that nobody knows', { header: { kid: 'other' } }],
    ['says nothing of the token', { claims: { token_introspection: undefined } }],
  ])('that %s is not believed', async (_what, how) => {
    expect(await asked(how)).toEqual([503, 'identity-unavailable']);
  });

  it('of somebody else is not believed, nor one with the wrong signature, nor none', async () => {
    const other = await createTestKey('ES256', 'answers');
    expect(await asked({ by: other })).toEqual([503, 'identity-unavailable']);
    server.answer = (response) => signedAs(response, 'e30.e30.');
    expect(await outcome(gate, fresh())).toEqual([503, 'identity-unavailable']);
    server.answer = undefined;
    expect(await outcome(gate, server.knows(fresh()))).toEqual([503, 'identity-unavailable']);
  });
});

describe('the gateway', () => {
  it('can show its secret in the form', async () => {
    await outcome(
      await gateOf(identityOf({ clientAuthentication: 'client_secret_post' })),
      server.knows(fresh()),
    );
    expect(server.asked[0]?.form).toMatchObject({ client_id: 'gateway', client_secret: SECRET });
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('can sign who it is, each time anew', async () => {
    const key = { clientSecretEnv: undefined, privateKeyEnv: 'KEY', keyId: 'k1', issuer: server.issuer };
    const gate = await gateOf(identityOf(key));
    await present(gate, server.knows(fresh()));
    await present(gate, server.knows(fresh()));
    const [one = '', other = ''] = server.asked.map(({ form }) => form['client_assertion']);
    expect(decodeProtectedHeader(one)).toEqual({ alg: 'ES256', kid: 'k1' });
    expect(decodeJwt(one)).toMatchObject({ iss: 'gateway', sub: 'gateway', aud: server.issuer });
    expect(decodeJwt(one).jti).not.toBe(decodeJwt(other).jti);
    expect(server.asked[0]?.form).not.toHaveProperty('client_secret');
  });

  it.each([
    [{ clientSecretEnv: 'MISSING' }, 'clientSecretEnv', /^set the environment variable MISSING/],
    [
      { clientSecretEnv: undefined, privateKeyEnv: 'SECRET' },
      'privateKeyEnv',
      /^expected a private key as PEM/,
    ],
    [
      { clientSecretEnv: undefined, clientSecretFile: '/nowhere' },
      'clientSecretFile',
      /^cannot read \/nowhere/,
    ],
  ])('does not start with %j, and says where that is', (more, key, text) => {
    const fault = { at: ['introspection', key], message: expect.stringMatching(text) };
    expect(() => identityOf(more)).toThrow(expect.objectContaining(fault));
  });

  it.each([
    [{ url: undefined }, 'expected one of url and discovery'],
    [{ url: undefined, discovery: true }, 'expected an issuer that is a URL'],
    [{ clientSecretFile: 'x' }, 'expected exactly one of clientSecretEnv'],
    [{ answers: 'signed' }, 'signed answers need issuer'],
    [{ jwks: 'http://127.0.0.1:1/jwks' }, 'there are keys for signed answers'],
    [{ cache: { negativeTtl: '11s' } }, 'between 0s and 10s'],
  ])('takes no section with %j', (more, message) => {
    expect(() => identityOf(more)).toThrow(message);
  });
});

describe('beside signed tokens', () => {
  it.each([[['jwt', 'introspection']], [['introspection', 'jwt']]] as const)(
    'on a route with %j each is checked in its own way',
    async (schemes) => {
      const pem = { issuer: 'https://own.test', jwks: `${server.issuer}/jwks`, audiences: ['api'] };
      const gate = await gateOf(identityOf({}, { issuers: [pem] }), {
        authentication: { schemes: [...schemes] },
      });
      const [own, foreign] = await Promise.all([
        signToken(key, 'https://own.test'),
        signToken(key, 'https://other.test'),
      ]);
      server.knows(foreign);
      expect((await present(gate, own)).body['principal']).toMatchObject({ scheme: 'jwt' });
      expect((await present(gate, foreign)).body['principal']).toMatchObject({ scheme: 'introspection' });
      expect((await present(gate, server.knows(fresh()))).body['principal']).toMatchObject({
        scheme: 'introspection',
      });
      // A signed token that is no good is not asked about: it could be active, and its signature wrong.
      const forged = await signToken(await createTestKey('ES256', 'answers'), 'https://own.test');
      server.knows(forged);
      expect(await outcome(gate, forged)).toEqual([401, 'credentials-invalid']);
      expect(server.count(own) + server.count(forged)).toBe(0);
      expect((await gate.get()).headers['www-authenticate']).toBe('Bearer realm="gatehouse"');
      expect((await present(gate, fresh())).headers['www-authenticate']).toMatch(
        /^Bearer realm="gatehouse", error="invalid_token", error_description="[^"]+"$/,
      );
    },
  );
});
