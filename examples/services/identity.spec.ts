import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify, type JWTVerifyResult } from 'jose';
import { startIdentity, type IdentityService } from './identity.ts';

let identity: IdentityService;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity.stop());

const verify = (token: string): Promise<JWTVerifyResult> =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${identity.url}/jwks`)), {
    issuer: identity.issuer,
    audience: 'api',
  });
const post = (body: string | URLSearchParams): Promise<Response> =>
  fetch(`${identity.url}/token`, { method: 'POST', body });

describe('identity', () => {
  it.each(['RS256', 'ES256'] as const)('makes %s tokens that verify against /jwks', async (alg) => {
    const { payload, protectedHeader } = await verify(await identity.token('admin', {}, { alg }));
    expect(protectedHeader.alg).toBe(alg);
    expect(payload).toMatchObject({
      sub: '1',
      email: 'ada@example.com',
      roles: ['admin'],
      tid: 'acme',
      tier: 'pro',
    });
    expect(payload.iss).toBe(identity.url);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
  });

  it('gives every token its own jti', async () => {
    const [first, second] = await Promise.all([identity.token('user'), identity.token('user')]);
    expect((await verify(first)).payload.jti).not.toBe((await verify(second)).payload.jti);
  });

  it('replaces and leaves out claims when told to', async () => {
    const expired = await identity.token('user', { exp: 1 });
    await expect(verify(expired)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
    const wrongAudience = await identity.token('user', { aud: 'other' });
    await expect(verify(wrongAudience)).rejects.toMatchObject({ claim: 'aud' });
    const { payload } = await verify(await identity.token('guest', { email: undefined, roles: ['x'] }));
    expect(payload).not.toHaveProperty('email');
    expect(payload['roles']).toEqual(['x']);
  });

  it('claims an unknown kid when told to', async () => {
    const token = await identity.token('user', {}, { kid: 'unknown' });
    await expect(verify(token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('publishes no private key', async () => {
    const { keys } = (await (await fetch(`${identity.url}/jwks`)).json()) as {
      keys: Record<string, string>[];
    };
    expect(keys.map(({ kty }) => kty)).toEqual(['RSA', 'EC']);
    for (const key of keys) expect(key).not.toHaveProperty('d');
  });

  it.each([
    ['JSON', '{"user":"guest"}'],
    ['a form', new URLSearchParams({ user: 'guest' })],
  ])('answers POST /token with %s', async (_, body) => {
    const response = await post(body);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = (await response.json()) as { access_token: string };
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 900 });
    expect((await verify(answer.access_token)).payload.sub).toBe('3');
  });

  it.each(['{"user":"root"}', '{"user":["admin"]}', 'user=toString', ''])(
    'refuses the user in %p',
    async (body) => {
      const response = await post(body);
      const error = 'user: one of admin, user, guest is expected';
      expect([response.status, await response.json()]).toEqual([400, { error }]);
    },
  );

  it('drops the old keys when it rotates', async () => {
    const before = await identity.token('user');
    await identity.rotate();
    await expect(verify(before)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect((await verify(await identity.token('user'))).payload.sub).toBe('2');
  });

  it('can fail like the other services, and makes tokens all the same', async () => {
    const token = await identity.token('user');
    await identity.fault('fail');
    expect((await fetch(`${identity.url}/jwks`)).status).toBe(500);
    await identity.fault('dead');
    expect(await identity.token('user')).not.toBe(token);
    await identity.fault('none');
    expect((await verify(token)).payload.sub).toBe('2');
  });

  it('signs for another issuer when told to', async () => {
    const other = await startIdentity({ issuer: 'https://id.example.com/' });
    expect(other.issuer).toBe('https://id.example.com/');
    const [, claims = ''] = (await other.token('user')).split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: other.issuer });
    await other.stop();
  });
});
