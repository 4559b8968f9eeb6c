import { describe, expect, it } from '@jest/globals';
import { API_KEY, useShop, type RouteInput } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';
import type { Answer } from '../support/client.ts';

const route = (id: string, policies: object): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies,
});

const holder = useShop({
  routes: [
    route('either', {}),
    route('tokens', { authentication: { schemes: ['jwt'] } }),
    route('keys', { authentication: { schemes: ['apiKey'] } }),
    route('staff', { authorization: { anyRole: ['admin', 'auditor'] } }),
    route('both', { authorization: { allRoles: ['admin', 'auditor'] } }),
  ],
});

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function expectRefusal(answer: Answer, code: string, challenge: string): Promise<void> {
  expect(answer.status).toBe(401);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['www-authenticate']).toContain(challenge);
  expect(answer.json()).toMatchObject({ code, type: `urn:gatehouse:problem:${code}` });
  expect(await holder.shop.lineOf(answer)).toMatchObject({
    status: 401,
    refused: { stage: 'identify', code },
  });
}

describe('a token', () => {
  it.each(['RS256', 'ES256'] as const)('signed with %s lets its user in', async (alg) => {
    const token = await holder.shop.services.identity.token('user', {}, { alg });
    const answer = await holder.shop.call('/tokens', bearer(token));
    expect(answer.json<Echo>().headers).toMatchObject({
      'x-user-id': '2',
      'x-user-email': 'bob@example.com',
    });
    expect(await holder.shop.lineOf(answer)).toMatchObject({ principal: '2', status: 200 });
  });

  it('that has expired is refused as such, so that the client refreshes it', async () => {
    const past = Math.floor(Date.now() / 1000) - 60;
    const token = await holder.shop.services.identity.token('user', { exp: past });
    await expectRefusal(
      await holder.shop.call('/tokens', bearer(token)),
      'credentials-expired',
      'error="invalid_token"',
    );
  });

  it('that expires while it is cached is refused from then on', async () => {
    const exp = Math.floor(Date.now() / 1000) - 4; // Within the clock skew of 5 s for one second or less.
    const token = await holder.shop.services.identity.token('user', { exp });
    const statuses = new Set<number>();
    for (const until = Date.now() + 3000; Date.now() < until && !statuses.has(401);) {
      statuses.add((await holder.shop.call('/tokens', bearer(token))).status);
    }
    expect(statuses).toContain(401);
  });

  const WRONG: readonly [string, Record<string, unknown>][] = [
    ['for another audience', { aud: 'another-api' }],
    ['without an audience', { aud: undefined }],
    ['of another issuer', { iss: 'https://evil.example.com' }],
    ['without an issuer', { iss: undefined }],
    ['without an expiry', { exp: undefined }],
    ['without a subject', { sub: undefined }],
    ['that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 3600 }],
  ];

  it.each(WRONG)('%s is refused', async (_what, claims) => {
    const token = await holder.shop.services.identity.token('user', claims);
    await expectRefusal(
      await holder.shop.call('/tokens', bearer(token)),
      'credentials-invalid',
      'error="invalid_token"',
    );
  });

  it('with an unknown kid is refused, and many of them do not flood the issuer', async () => {
    const { identity } = holder.shop.services;
    const before = identity.requests.by['GET /jwks'] ?? 0;
    for (let i = 0; i < 20; i += 1) {
      const token = await identity.token('user', {}, { kid: `nobody-${i}` });
      await expectRefusal(
        await holder.shop.call('/tokens', bearer(token)),
        'credentials-invalid',
        'unknown key',
      );
    }
    expect((identity.requests.by['GET /jwks'] ?? 0) - before).toBeLessThanOrEqual(1);
  });

  it('is missing: the answer names what is accepted', async () => {
    await expectRefusal(await holder.shop.call('/tokens'), 'credentials-missing', 'Bearer realm="gatehouse"');
    const either = await holder.shop.call('/either');
    await expectRefusal(either, 'credentials-missing', 'Bearer realm="gatehouse", ApiKey realm="gatehouse"');
  });
});

describe('an API key', () => {
  it.each([{ 'x-api-key': API_KEY }, { authorization: `ApiKey ${API_KEY}` }])(
    'lets its client in: %p',
    async (headers) => {
      const answer = await holder.shop.call('/keys', { headers });
      expect(answer.json<Echo>().headers).toMatchObject({ 'x-client-id': 'mobile-app' });
      expect(JSON.stringify(answer.json())).not.toContain(API_KEY);
    },
  );

  it.each(['unknown-key-of-nobody-at-all', 'short', '', API_KEY.toUpperCase()])(
    'that is not known is refused: %p',
    async (apiKey) => {
      const answer = await holder.shop.call('/keys', { apiKey });
      await expectRefusal(answer, 'credentials-invalid', 'ApiKey realm="gatehouse"');
    },
  );

  it('is not accepted where only tokens are, and the other way round', async () => {
    expect((await holder.shop.call('/tokens', { apiKey: API_KEY })).status).toBe(401);
    expect((await holder.shop.call('/keys', { as: 'admin' })).status).toBe(401);
    expect((await holder.shop.call('/either', { apiKey: API_KEY })).status).toBe(200);
  });
});

describe('authorization', () => {
  it.each([
    ['/staff', 'admin', 200],
    ['/staff', 'user', 403],
    ['/staff', 'guest', 403],
    ['/both', 'admin', 403],
  ] as const)('goes by roles: %s for %s is %s', async (path, as, status) => {
    const answer = await holder.shop.call(path, { as });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    expect(answer.json()).toMatchObject({ code: 'permission-denied' });
    expect(answer.text).not.toContain('auditor');
    expect(await holder.shop.lineOf(answer)).toMatchObject({
      refused: { stage: 'authorize' },
      principal: expect.any(String),
    });
  });

  it('holds for API keys too', async () => {
    expect((await holder.shop.call('/staff', { apiKey: API_KEY })).status).toBe(403);
  });
});
