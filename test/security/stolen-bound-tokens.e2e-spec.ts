import { beforeAll, describe, expect, it } from '@jest/globals';
import type { OutgoingHttpHeaders } from 'node:http';
import { generateKeyPair } from 'jose';
import type { Answer } from '../support/client.ts';
import { createProofKey, proofOf, type ProofKey, type ProofSpec } from '../support/dpop.ts';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const AT = 'https://api.example.com';
const resource = { scopes: ['read', 'write'], name: 'The shop' };

const holder = useShop({
  identity: {
    tokens: {
      dpop: { mode: 'accept', urls: [AT, 'https://edge.example.com:8443/gw/'] },
      cookie: { name: 't', origins: ['https://app.example.com'] },
    },
    resources: [{ url: `${AT}/` }, { url: `${AT}/api/v1`, ...resource }],
  },
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo' },
    {
      id: 'bound',
      match: { path: '/bound' },
      upstream: 'echo',
      policies: { authentication: { schemes: ['jwt'], dpop: 'require' } },
    },
    {
      id: 'scoped',
      match: { path: '/scoped' },
      upstream: 'echo',
      policies: { authorization: { allScopes: ['read', 'admin'] } },
    },
    { id: 'open', match: { path: '/open' }, upstream: 'echo', policies: { authentication: 'public' } },
  ],
  more: { graphql: { policies: { authorization: { allScopes: ['graph'] } } } },
});

let key: ProofKey;
let other: ProofKey;
let bound: string;
let unbound: string;

beforeAll(async () => {
  [key, other] = await Promise.all([createProofKey(), createProofKey()]);
  const { identity } = holder.shop.services;
  bound = await identity.token('user', { cnf: { jkt: key.jkt }, scope: 'read' });
  unbound = await identity.token('user', { scope: 'read' });
});

const send = (headers: OutgoingHttpHeaders, path = '/api/x') => holder.shop.call(path, { headers });
const proof = (spec: Partial<ProofSpec> = {}, by = key) =>
  proofOf(by, { htu: `${AT}/api/x`, token: bound, ...spec });
const present = async (spec: Partial<ProofSpec> = {}, by = key) =>
  send({ authorization: `DPoP ${bound}`, dpop: await proof(spec, by) });

function expectRefusal(answer: Answer, error: string): void {
  expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-invalid']);
  const challenge = String(answer.headers['www-authenticate']);
  expect(challenge).toContain(`error="${error}"`);
  expect(challenge).toContain('algs="ES256 ES384 EdDSA Ed25519"');
  expect(holder.shop.echo.requests).toHaveLength(0);
}

describe('a token that is bound to a key', () => {
  it('is taken with a proof, which no service sees', async () => {
    const answer = await present();
    expect(answer.json<Echo>().headers).toMatchObject({ 'x-user-id': '2' });
    expect(answer.json<Echo>().headers).not.toHaveProperty('dpop');
    holder.shop.echo.requests.length = 0;
    // Where nobody looks at it, it is for the service to look at.
    const open = await send({ dpop: 'for-the-service' }, '/open');
    expect(open.json<Echo>().headers).toHaveProperty('dpop', 'for-the-service');
    holder.shop.echo.requests.length = 0;
  });

  it.each([
    ['with the port that goes without saying', `${AT}:443/api/x`],
    ['with a query and a fragment', `${AT}/api/x?a=b#c`],
    ['in other letters', 'HTTPS://API.Example.COM/api/x'],
    ['with letters that need not be encoded', `${AT}/%61pi/%78`],
    ['behind a path that a proxy takes away', 'https://edge.example.com:8443/gw/api/x'],
  ])('may be proved for the URL %s', async (_what, htu) => {
    expect((await present({ htu })).status).toBe(200);
    holder.shop.echo.requests.length = 0;
  });

  it('is refused as a bearer token, in a field, a cookie and a handshake', async () => {
    const dpop = await proof();
    expectRefusal(await send({ authorization: `Bearer ${bound}` }), 'invalid_token');
    expectRefusal(await send({ authorization: `Bearer ${bound}`, dpop }), 'invalid_token');
    expectRefusal(await send({ cookie: `t=${bound}` }), 'invalid_token');
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const protocols = {
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': `bearer.${bound}`,
    };
    const refused = await send({ ...upgrade, ...protocols }, '/api/x');
    expect(refused.status).toBe(401);
  });

  it.each([
    ['cnf that is a text', 'abc'],
    ['cnf that is null', null],
    ['cnf that is empty', {}],
    ['an odd thumbprint', { jkt: 7 }],
    ['a key of another kind', { jwk: { kty: 'EC' } }],
    ['a certificate', { 'x5t#S256': 'abc' }],
  ])('by %s is refused, as nobody knows how to prove that', async (_what, cnf) => {
    const token = await holder.shop.services.identity.token('user', { cnf });
    expectRefusal(await send({ authorization: `Bearer ${token}` }), 'invalid_token');
  });

  it('by a key and by a certificate is refused with one of them', async () => {
    const cnf = { jkt: key.jkt, 'x5t#S256': 'abc' };
    const token = await holder.shop.services.identity.token('user', { cnf });
    const dpop = await proof({ token });
    expectRefusal(await send({ authorization: `DPoP ${token}`, dpop }), 'invalid_token');
  });
});

describe('a token that is bound to nothing', () => {
  it('is taken as what it is, and not with a proof by whatever key', async () => {
    expect((await send({ authorization: `Bearer ${unbound}` })).status).toBe(200);
    holder.shop.echo.requests.length = 0;
    const dpop = await proof({ token: unbound });
    expectRefusal(await send({ authorization: `DPoP ${unbound}`, dpop }), 'invalid_token');
  });

  it('is refused where a proof is required, which is the only thing asked for', async () => {
    const answer = await send({ authorization: `Bearer ${unbound}` }, '/bound');
    expectRefusal(answer, 'invalid_token');
    expect(String(answer.headers['www-authenticate'])).toMatch(/^DPoP realm="gatehouse"/);
    const dpop = await proof({ htu: `${AT}/bound` });
    expect((await send({ authorization: `DPoP ${bound}`, dpop }, '/bound')).status).toBe(200);
    holder.shop.echo.requests.length = 0;
  });
});

describe('a proof', () => {
  const soon = Math.floor(Date.now() / 1000);
  const FORGED: readonly [string, Partial<ProofSpec>][] = [
    ['for another method', { htm: 'POST' }],
    ['for the method in small letters', { htm: 'get' }],
    ['for another path', { htu: `${AT}/api/y` }],
    ['for a path below', { htu: `${AT}/api/x/` }],
    ['for another host', { htu: 'https://evil.example.com/api/x' }],
    ['for another port', { htu: `${AT}:8443/api/x` }],
    ['without TLS', { htu: 'http://api.example.com/api/x' }],
    ['for a host with a user', { htu: 'https://api.example.com@evil.example.com/api/x' }],
    ['for a user at the host', { htu: 'https://a:b@api.example.com/api/x' }],
    ['for a path with backslashes', { htu: 'https:\\\\api.example.com\\api\\x' }],
    ['for a URL with a line break', { htu: `${AT}/api/\nx` }],
    ['for no URL', { htu: '/api/x' }],
    ['for another token', { token: 'stolen' }],
    ['for no token', { claims: { ath: undefined } }],
    ['of long ago', { claims: { iat: soon - 120 } }],
    ['of the future', { claims: { iat: soon + 120 } }],
    ['of no time', { claims: { iat: undefined } }],
    ['of an odd time', { claims: { iat: String(soon) } }],
    ['without a name', { claims: { jti: undefined } }],
    ['with an empty name', { claims: { jti: '' } }],
    ['with an endless name', { claims: { jti: 'x'.repeat(257) } }],
    ['that is an access token', { header: { typ: 'at+jwt' } }],
    ['of no type', { header: { typ: undefined } }],
    ['without its key', { header: { jwk: undefined } }],
    ['with a key that is a text', { header: { jwk: 'key' } }],
    ['that is larger than any', { claims: { x: 'x'.repeat(4000) } }],
  ];
  it.each(FORGED)('%s is refused', async (_what, spec) => {
    expectRefusal(await present(spec), 'invalid_dpop_proof');
  });

  it('with a private key in it, or that is signed by another key than it says, is refused', async () => {
    expectRefusal(await present({ header: { jwk: key.privateJwk } }), 'invalid_dpop_proof');
    expectRefusal(await present({ header: { jwk: key.jwk } }, other), 'invalid_dpop_proof');
  });

  it('by another key than the token is bound to is refused like the token', async () => {
    expectRefusal(await present({}, other), 'invalid_token');
  });

  it('that is not signed, or with a secret, or with an algorithm that is not accepted, is refused', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, claims = ''] = (await proof()).split('.');
    for (const alg of ['none', 'None', '', 'HS256', 'RS256', 'ES512']) {
      const head = part({ typ: 'dpop+jwt', alg, jwk: alg === 'HS256' ? { kty: 'oct', k: 'AAAA' } : key.jwk });
      for (const signature of ['', 'AAAA'])
        expectRefusal(
          await send({ authorization: `DPoP ${bound}`, dpop: `${head}.${claims}.${signature}` }),
          'invalid_dpop_proof',
        );
    }
    const { privateKey } = await generateKeyPair('RS256');
    const rsa = { ...key, privateKey };
    expectRefusal(await present({ header: { alg: 'RS256' } }, rsa), 'invalid_dpop_proof');
  });

  it('that is missing, there twice, or none, is refused', async () => {
    const authorization = `DPoP ${bound}`;
    expectRefusal(await send({ authorization }), 'invalid_dpop_proof');
    expectRefusal(await send({ authorization, dpop: [await proof(), await proof()] }), 'invalid_dpop_proof');
    for (const dpop of ['', 'x', 'a.b.c', `${await proof()},${await proof()}`])
      expectRefusal(await send({ authorization, dpop }), 'invalid_dpop_proof');
  });

  it('holds once, and is not used up by a request that is refused for another reason', async () => {
    const dpop = await proof();
    const authorization = `DPoP ${bound}`;
    const elsewhere = await send({ authorization, dpop }, '/api/y');
    expectRefusal(elsewhere, 'invalid_dpop_proof');
    const answers = await Promise.all(Array.from({ length: 5 }, () => send({ authorization, dpop })));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 401, 401, 401, 401]);
    holder.shop.echo.requests.length = 0;
    expectRefusal(await send({ authorization, dpop }), 'invalid_dpop_proof');
  });
});

describe('what clients are told', () => {
  it('of the resource is served where it belongs, to every page', async () => {
    const root = await send({ origin: 'https://any.example' }, '/.well-known/oauth-protected-resource');
    expect([root.status, root.headers['access-control-allow-origin']]).toEqual([200, '*']);
    expect(root.json()).toEqual({
      resource: `${AT}/`,
      authorization_servers: [holder.shop.services.identity.issuer],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'EdDSA', 'Ed25519'],
      dpop_bound_access_tokens_required: false,
    });
    const below = await send({}, '/.well-known/oauth-protected-resource/api/v1');
    expect(below.json()).toMatchObject({
      resource: `${AT}/api/v1`,
      scopes_supported: ['read', 'write'],
      resource_name: 'The shop',
    });
  });

  it.each([
    ['/api/x', ''],
    ['/api/v1', '/api/v1'],
    ['/api/v1/x', '/api/v1'],
    ['/api/v12', ''],
  ])('of the metadata at %s names that of the resource%s, whatever host they say', async (path, suffix) => {
    const answer = await send({ host: 'evil.example.com' }, path);
    expect(answer.headers['www-authenticate']).toContain(
      `Bearer realm="gatehouse", resource_metadata="${AT}/.well-known/oauth-protected-resource${suffix}"`,
    );
  });

  it('of a scope that is missing stands in the challenge, and where no field is seen', async () => {
    const lacking = { error: 'insufficient_scope', scope: 'read admin' };
    const plain = await send({ authorization: `Bearer ${unbound}` }, '/scoped');
    expect([plain.status, plain.json()]).toEqual([403, expect.objectContaining(lacking)]);
    const challenge = 'realm="gatehouse", error="insufficient_scope", scope="read admin"';
    expect(plain.headers['www-authenticate']).toBe(`Bearer ${challenge}`);
    const dpop = await proof({ htu: `${AT}/scoped` });
    const proved = await send({ authorization: `DPoP ${bound}`, dpop }, '/scoped');
    expect(proved.headers['www-authenticate']).toBe(`DPoP ${challenge}`);
    const graph = await holder.shop.call('/graphql', {
      method: 'POST',
      headers: { authorization: `Bearer ${unbound}`, 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    expect(graph.status).toBe(403);
    expect(graph.headers['www-authenticate']).toContain('scope="graph"');
    expect(graph.text).toContain('"error":"insufficient_scope","scope":"graph"');
  });
});
