import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createPublicKey } from 'node:crypto';
import {
  createTestKey,
  KeyServer,
  signToken,
  signWithSecret,
  type TestKey,
} from '../../../../test/support/key-server.ts';
import {
  startStageServer,
  type StageAnswer,
  type StageServer,
} from '../../../../test/support/stage-server.ts';
import type { StageInput } from '../../stage-factory.ts';
import { AuthenticationStageFactory } from '../authentication.stage.ts';
import { Identity } from '../identity.ts';
import { identitySchema } from '../identity.schema.ts';

const SECRET = 'a-shared-secret-of-at-least-32-bytes!';
const COOLDOWN_MS = 10_000;
const route: StageInput = { routeId: 'r', door: 'proxy', policies: { authentication: { schemes: ['jwt'] } } };

let rsa: TestKey;
let ec: TestKey;
let stranger: TestKey;
let keys: KeyServer;
let identity: Identity;
let gate: StageServer;
let aheadMs: number;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [rsa, ec, stranger] = await Promise.all([createTestKey('RS256'), createTestKey(), createTestKey()]);
});

beforeEach(async () => {
  aheadMs = 0;
  keys = await new KeyServer().start();
  keys.keys = [rsa.publicJwk, ec.publicJwk];
  const pem = createPublicKey({ key: rsa.publicJwk as object, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const options = identitySchema.parse({
    issuers: [
      {
        issuer: keys.issuer,
        jwks: keys.url,
        audiences: ['api', 'api2'],
        algorithms: ['RS256', 'RS512', 'ES256'],
      },
      {
        issuer: 'https://secret.test',
        secretEnv: 'JWT_SECRET',
        audiences: ['api'],
        typ: 'application/AT+JWT',
      },
      { issuer: 'https://pem.test', publicKey: pem, audiences: ['other'], clockSkew: '0s' },
    ],
  });
  const clock = () => Date.now() + aheadMs;
  identity = new Identity(options, { environment: { JWT_SECRET: SECRET }, clock });
  identity.start();
  const stage = new AuthenticationStageFactory(identity).compile(route);
  gate = await startStageServer(stage === undefined ? [] : [stage]);
});

afterEach(async () => {
  identity.stop();
  await gate.stop();
  await keys.stop();
});

const present = (token: string) => gate.get({ authorization: `Bearer ${token}` });
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const tokenWith = (claims: Record<string, unknown>, header?: Record<string, unknown>) =>
  signToken(ec, keys.issuer, { claims, ...(header === undefined ? {} : { header }) });

function expectRefusal(answer: StageAnswer, code = 'credentials-invalid'): void {
  expect([answer.status, answer.body['code']]).toEqual([401, code]);
  const challenge = 'Bearer realm="gatehouse", error="invalid_token", error_description="';
  expect(answer.headers['www-authenticate']).toContain(challenge);
  // The library's words would tell what exactly it looked for.
  const words = [answer.body['detail'], answer.headers['www-authenticate']].join();
  expect(words).not.toMatch(/jwt|expected|JSON|signature|undefined/i);
}

describe('a good token', () => {
  it.each(['RS256', 'ES256'])('is accepted when signed with %s', async (algorithm) => {
    const answer = await present(await signToken(algorithm === 'RS256' ? rsa : ec, keys.issuer));
    expect(answer.body).toMatchObject({ principal: { id: 'alice', scheme: 'jwt' }, synchronous: false });
  });

  it('costs no turn of the loop the second time', async () => {
    const token = await signToken(ec, keys.issuer);
    await present(token);
    expect((await present(token)).body).toMatchObject({ principal: { id: 'alice' }, synchronous: true });
  });

  it.each(['JWT', 'at+jwt', 'application/at+jwt'])('may be of the type %s', async (typ) => {
    expect((await present(await tokenWith({}, { typ }))).status).toBe(200);
  });

  it.each([
    ['at+jwt', 200],
    ['Application/at+JWT', 200],
    ['JWT', 401],
    ['logout+jwt', 401],
    ['text/at+jwt', 401],
    ['application/x/at+jwt', 401],
    ['', 401],
    [undefined, 401],
  ])('has to be of the type that its issuer says, and not %j', async (typ, status) => {
    const spec = { header: typ === undefined ? {} : { typ } };
    expect((await present(await signWithSecret(SECRET, 'https://secret.test', spec))).status).toBe(status);
  });

  it.each([7, null, {}, ['JWT']])('has a type that is a text, and not %j', async (typ) => {
    expectRefusal(await present(await tokenWith({}, { typ })));
  });

  it('may name several audiences', async () => {
    expect((await present(await tokenWith({ aud: ['x', 'api2'] }))).status).toBe(200);
  });

  it.each(['bearer', 'BEARER', 'Bearer  '])('may be introduced by %j', async (scheme) => {
    expect((await gate.get({ authorization: `${scheme} ${await tokenWith({})}` })).status).toBe(200);
  });

  it('is checked by the rules of its own issuer', async () => {
    const header = { typ: 'at+jwt' };
    const bySecret = await signWithSecret(SECRET, 'https://secret.test', { claims: { sub: 'bob' }, header });
    const byPem = await signToken(rsa, 'https://pem.test', { claims: { sub: 'carol', aud: 'other' } });
    expect((await present(bySecret)).body['principal']).toMatchObject({ id: 'bob' });
    expect((await present(byPem)).body['principal']).toMatchObject({ id: 'carol' });
    expectRefusal(await present(await signToken(rsa, 'https://pem.test')));
    expectRefusal(await present(await signToken(ec, 'https://pem.test', { claims: { aud: 'other' } })));
    expectRefusal(await present(await signWithSecret(SECRET, keys.issuer)));
  });
});

describe('time', () => {
  it('refuses an expired token with a code of its own', async () => {
    expectRefusal(await present(await tokenWith({ exp: inSeconds(-60) })), 'credentials-expired');
  });

  it('stops accepting a cached token when it expires', async () => {
    const claims = { exp: inSeconds(60), aud: 'other' };
    const token = await signToken(rsa, 'https://pem.test', { claims });
    await present(token);
    expect((await present(token)).body['synchronous']).toBe(true);
    aheadMs = 61_000;
    expectRefusal(await present(token), 'credentials-expired');
  });

  it('allows for clocks that are a little apart', async () => {
    expect((await present(await tokenWith({ exp: inSeconds(-2) }))).status).toBe(200);
    expect((await present(await tokenWith({ nbf: inSeconds(3) }))).status).toBe(200);
  });

  it.each([
    ['is not valid yet', { nbf: 60 }],
    ['has an odd beginning', { nbf: 'tomorrow' }],
  ])('refuses a token that %s', async (_what, { nbf }) => {
    expectRefusal(await present(await tokenWith({ nbf: typeof nbf === 'number' ? inSeconds(nbf) : nbf })));
  });

  it.each([undefined, null, 'never', {}])('refuses a token with the expiry %j', async (exp) => {
    expectRefusal(await present(await tokenWith({ exp })));
  });
});

describe('a token that does not fit', () => {
  it.each([
    ['another audience', { aud: 'billing' }],
    ['no audience', { aud: undefined }],
    ['an odd audience', { aud: { api: true } }],
    ['no subject', { sub: undefined }],
    ['another issuer', { iss: 'https://elsewhere.test' }],
    ['an issuer that only looks the same', { iss: 'https://pem.test/' }],
    ['no issuer', { iss: undefined }],
    ['an odd issuer', { iss: ['https://pem.test'] }],
  ])('is refused for %s', async (_what, claims) => {
    expectRefusal(await present(await tokenWith(claims)));
  });

  it('is refused when it is signed by a stranger', async () => {
    expectRefusal(await present(await signToken(stranger, keys.issuer)));
    expectRefusal(await present(await signToken({ ...stranger, kid: ec.kid }, keys.issuer)));
  });

  it('is refused when a byte of it changed', async () => {
    const [head = '', , signature = ''] = (await tokenWith({})).split('.');
    const body = encode({ iss: keys.issuer, sub: 'root', aud: 'api', exp: inSeconds(60) });
    expectRefusal(await present(`${head}.${body}.${signature}`));
    expectRefusal(await present(`${head}.${body}.${signature.slice(4)}`));
  });

  it('is refused when it asks for extensions that must be understood', async () => {
    expectRefusal(await present(await tokenWith({}, { crit: ['x-critical'], 'x-critical': true })));
  });

  it('is refused when it names no key and several could be meant', async () => {
    keys.keys = [ec.publicJwk, stranger.publicJwk];
    expectRefusal(await present(await tokenWith({}, { kid: undefined })));
  });

  it('is accepted when it names no key and only one can be meant', async () => {
    expect((await present(await tokenWith({}, { kid: undefined }))).status).toBe(200);
  });
});

describe('a forged algorithm', () => {
  const claims = () => ({ iss: keys.issuer, sub: 'root', aud: 'api', exp: inSeconds(60) });

  it.each(['none', 'None', 'NONE', 'nOnE', ''])(
    '%j is refused, with a signature and without',
    async (alg) => {
      const unsigned = `${encode({ alg, kid: rsa.kid })}.${encode(claims())}.`;
      expectRefusal(await present(unsigned));
      expectRefusal(await present(`${unsigned}AAAA`));
    },
  );

  it('cannot turn the public key into a shared secret', async () => {
    const object = createPublicKey({ key: rsa.publicJwk as object, format: 'jwk' });
    for (const type of ['spki', 'pkcs1'] as const) {
      const pem = object.export({ type, format: 'pem' }).toString();
      for (const issuer of [keys.issuer, 'https://pem.test']) {
        const spec = { claims: { aud: ['api', 'other'] }, header: { kid: rsa.kid } };
        expectRefusal(await present(await signWithSecret(pem, issuer, spec)));
        expectRefusal(await present(await signWithSecret(pem.trim(), issuer, spec)));
      }
    }
  });

  it('cannot bring its own key', async () => {
    const jwk = stranger.publicJwk;
    expectRefusal(
      await present(await signToken({ ...stranger, kid: ec.kid }, keys.issuer, { header: { jwk } })),
    );
  });

  it('cannot use a key for another algorithm than the published one', async () => {
    expectRefusal(await present(await signToken({ ...rsa, algorithm: 'RS512' }, keys.issuer)));
  });
});

describe('nonsense', () => {
  const iss = () => encode({ iss: keys.issuer });
  it.each<[string, () => string]>([
    ['a word', () => 'token'],
    ['two parts', () => `${encode({ alg: 'ES256' })}.${iss()}`],
    ['four parts', () => 'a.b.c.d'],
    ['empty parts', () => '..'],
    ['broken base64', () => '%%%.***.@@@'],
    ['padding', () => `${encode({ alg: 'ES256' })}==.${iss()}.AAAA`],
    ['no JSON', () => 'AAAA.AAAA.AAAA'],
    ['invalid UTF-8', () => `${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.${iss()}.AAAA`],
    ['null', () => `${encode(null)}.${encode(null)}.AAAA`],
    ['claims that are null', () => `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(null)}.AAAA`],
    ['a list', () => `${encode([])}.${encode([])}.AAAA`],
    ['an odd algorithm', () => `${encode({ alg: { a: 1 } })}.${iss()}.AAAA`],
    ['an odd key name', () => `${encode({ alg: 'ES256', kid: 7 })}.${iss()}.AAAA`],
    ['a name from the prototype', () => `${encode({ alg: 'ES256', kid: '__proto__' })}.${iss()}.AAAA`],
    [
      'an issuer from the prototype',
      () => `${encode({ alg: 'ES256' })}.${encode({ iss: 'constructor' })}.AAAA`,
    ],
    ['a signature of the wrong length', () => `${encode({ alg: 'ES256', kid: ec.kid })}.${iss()}.AAAA`],
    ['an encrypted token', () => 'a.b.c.d.e'],
    ['two tokens', () => 'a.b.c, a.b.c'],
  ])('is refused: %s', async (_what, token) => {
    expectRefusal(await present(token()));
  });

  it('is refused unread above 8 KiB', async () => {
    const answer = await present(await tokenWith({ padding: 'x'.repeat(8 * 1024) }));
    expectRefusal(answer);
    expect(answer.body['detail']).toBe('The token is too large.');
  });

  it('never becomes an error of ours, whatever is changed in a good token', async () => {
    const token = await tokenWith({});
    for (let i = 0; i < token.length; i += 7) {
      const answer = await present(
        `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`,
      );
      // The last bits of a part may be unused ones: then the token is still the same.
      expect([200, 401]).toContain(answer.status);
    }
  });
});

describe('the keys of the issuer', () => {
  it('are found again after a rotation, within one request, and the old tokens stop', async () => {
    const before = await signToken(ec, keys.issuer);
    expect((await present(before)).status).toBe(200);
    keys.keys = [stranger.publicJwk];
    expect((await present(await signToken(stranger, keys.issuer))).status).toBe(200);
    expectRefusal(await present(before));
  });

  it('are asked for once, however many made-up names come', async () => {
    await present(await tokenWith({}));
    const asked = keys.requests;
    const tokens = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        signToken({ ...stranger, kid: `made-up-${String(i)}` }, keys.issuer),
      ),
    );
    for (const answer of await Promise.all(tokens.map(present))) expectRefusal(answer);
    expect(keys.requests).toBe(asked + 1);
  });

  it('are not asked for by tokens that could not pass anyway', async () => {
    await present(await tokenWith({}));
    const asked = keys.requests;
    await present(await signToken(stranger, 'https://elsewhere.test'));
    await present(await signWithSecret(SECRET, keys.issuer, { header: { kid: 'made-up' } }));
    expect(keys.requests).toBe(asked);
  });

  it('go on working while the issuer is down, and unknown ones are no verdict', async () => {
    await present(await tokenWith({}));
    await keys.stop();
    expect((await present(await tokenWith({ sub: 'bob' }))).status).toBe(200);
    const answer = await present(await signToken(stranger, keys.issuer));
    expect([answer.status, answer.body['code']]).toEqual([503, 'identity-unavailable']);
  });
});

describe('an issuer that is down when the gateway starts', () => {
  it('is answered with 503 and Retry-After, never 401, until it comes', async () => {
    const token = await tokenWith({});
    identity.stop();
    await keys.stop();
    identity = new Identity(
      identitySchema.parse({ issuers: [{ issuer: keys.issuer, jwks: keys.url, audiences: ['api'] }] }),
      { clock: () => Date.now() + aheadMs },
    );
    const stage = new AuthenticationStageFactory(identity).compile(route);
    const late = await startStageServer(stage === undefined ? [] : [stage]);
    identity.start();
    const answer = await late.get({ authorization: `Bearer ${token}` });
    expect([answer.status, answer.body['code']]).toEqual([503, 'identity-unavailable']);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    await keys.start();
    aheadMs = COOLDOWN_MS;
    expect((await late.get({ authorization: `Bearer ${token}` })).status).toBe(200);
    await late.stop();
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
