import { describe, expect, it } from '@jest/globals';
import { createHmac, createPublicKey } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { call, type Answer } from '../support/client.ts';
import { createTestKey, signToken } from '../support/key-server.ts';
import { useShop } from '../support/shop.ts';

const holder = useShop({ routes: [{ id: 'echo', match: { path: '/api/*' }, upstream: 'echo' }] });

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

async function claims(): Promise<Record<string, unknown>> {
  const now = Math.floor(Date.now() / 1000);
  const { issuer } = holder.shop.services.identity;
  return { iss: issuer, sub: '1', aud: 'api', roles: ['admin'], iat: now, exp: now + 600 };
}

async function publishedKey(): Promise<Record<string, string>> {
  const answer = await call(`${holder.shop.services.identity.url}/jwks`);
  return answer.json<{ keys: Record<string, string>[] }>().keys[0] ?? {};
}

function hmac(header: object, payload: object, secret: string | Buffer): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

async function send(authorization: string | string[]): Promise<Answer> {
  const answer = await holder.shop.call('/api/x', { headers: { authorization } as OutgoingHttpHeaders });
  expect(holder.shop.echo.requests).toHaveLength(0);
  return answer;
}

function expectRefusal(answer: Answer, code = 'credentials-invalid'): void {
  expect(answer.status).toBe(401);
  expect(answer.json()).toMatchObject({ code, status: 401 });
  expect(answer.headers['www-authenticate']).toContain('Bearer realm="gatehouse"');
}

describe('a token that says alg', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', ''])(
    '%p is refused, with and without a signature',
    async (alg) => {
      const token = `${part({ alg, typ: 'JWT' })}.${part(await claims())}`;
      for (const signature of ['', 'AAAA']) expectRefusal(await send(`Bearer ${token}.${signature}`));
    },
  );

  it('HS256 is refused when it was signed with the public key, in any form of it', async () => {
    const jwk = await publishedKey();
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const header = { alg: 'HS256', typ: 'JWT', kid: jwk['kid'] };
    const secrets = [
      key.export({ type: 'spki', format: 'pem' }),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      String(jwk['n']),
    ];
    for (const secret of secrets) expectRefusal(await send(`Bearer ${hmac(header, await claims(), secret)}`));
  });

  it('PS256 or ES384 is refused: the issuer is not configured for it', async () => {
    for (const algorithm of ['PS256', 'ES384']) {
      const token = await signToken(await createTestKey(algorithm), holder.shop.services.identity.issuer);
      expectRefusal(await send(`Bearer ${token}`));
    }
  });
});

describe('a token that brings its own key', () => {
  it.each(['jwk', 'jku', 'x5u', 'x5c'])('in %s is refused', async (member) => {
    const key = await createTestKey('RS256');
    const value = {
      jwk: key.publicJwk,
      jku: 'http://127.0.0.1:1/jwks',
      x5u: 'http://127.0.0.1:1',
      x5c: ['AAAA'],
    }[member];
    const { issuer } = holder.shop.services.identity;
    const token = await signToken(key, issuer, { header: { [member]: value } });
    expectRefusal(await send(`Bearer ${token}`));
  });

  it('under the name of a published key is refused', async () => {
    const { issuer } = holder.shop.services.identity;
    const { kid } = await publishedKey();
    const token = await signToken(await createTestKey('RS256', kid), issuer);
    expectRefusal(await send(`Bearer ${token}`));
  });
});

describe('a token that was signed for something else', () => {
  it.each([
    'logout+jwt',
    'dpop+jwt',
    'application/token-introspection+jwt',
    'secevent+jwt',
    'id+jwt',
    '',
    'JWS',
  ])('is refused: %j', async (typ) => {
    // By the issuer's own key: nothing but the type speaks against it.
    expectRefusal(await send(`Bearer ${await holder.shop.services.identity.token('admin', {}, { typ })}`));
  });
});

describe('a credential that is no token', () => {
  it.each([
    'Bearer', 'Bearer ', 'Bearer x', 'Bearer a.b', 'Bearer a.b.c', 'Bearer ..', 'Bearer a.b.c.d.e', 'Bearer {}.{}.{}',
    `Bearer ${'a'.repeat(9000)}`, 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.', 'Bearer \u00ff\u00fe', 'Bearer a b',
  ])('is refused: %p', async (authorization) => {
    expectRefusal(await send(authorization));
  }); // prettier-ignore

  it('is refused when the payload was changed after signing', async () => {
    const [header, payload = '', signature] = (await holder.shop.services.identity.token('guest')).split('.');
    const changed = {
      ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object),
      roles: ['admin'],
    };
    expectRefusal(await send(`Bearer ${String(header)}.${part(changed)}.${String(signature)}`));
  });

  it('is refused beside a good one: two Authorization headers are one too many', async () => {
    const good = await holder.shop.services.identity.token('admin');
    expectRefusal(await send([`Bearer ${good}`, 'Bearer x.y.z']));
  });

  it('is refused in the query or a cookie: only the header counts', async () => {
    const good = await holder.shop.services.identity.token('admin');
    const query = await holder.shop.call(`/api/x?access_token=${good}`, {
      headers: { cookie: `token=${good}` },
    });
    expectRefusal(query, 'credentials-missing');
    expect(JSON.stringify(await holder.shop.lineOf(query))).not.toContain(good);
  });
});
