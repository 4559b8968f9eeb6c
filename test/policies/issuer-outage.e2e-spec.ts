import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startShop, type Shop } from '../support/shop.ts';

describe('the keys of the issuer', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await startShop({
      routes: [{ id: 'echo', match: { path: '/api/*' }, upstream: 'echo' }],
      issuer: { jwksCooldown: '100ms' },
    });
  });
  afterAll(() => shop.stop());

  it('survive an outage of the issuer: known keys stay, unknown ones are neither accepted nor refused', async () => {
    const { identity } = shop.services;
    const [known, unknown] = [await identity.token('user'), await identity.token('user', {}, { kid: 'new' })];
    expect((await shop.call('/api/x', { as: 'user' })).status).toBe(200);
    await identity.fault('dead');
    const accepted = await shop.call('/api/x', { headers: { authorization: `Bearer ${known}` } });
    expect(accepted.status).toBe(200);
    const answer = await shop.call('/api/x', { headers: { authorization: `Bearer ${unknown}` } });
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'identity-unavailable' });
    await identity.fault('none');
  });

  it('heal a rotation within the request that meets it', async () => {
    const { identity } = shop.services;
    await identity.rotate();
    expect(await statusOfRotated(shop)).toBe(200);
  });
});

// Until the cooldown of the outage before has passed, an unknown key is not asked for.
async function statusOfRotated(shop: Shop): Promise<number> {
  for (const until = Date.now() + 3000; ;) {
    const { status } = await shop.call('/api/x', { as: 'user' });
    if (status === 200 || Date.now() > until) return status;
  }
}

describe('an issuer that was never reachable', () => {
  it('makes its tokens a 503 with Retry-After, not a 401', async () => {
    const shop = await startShop({
      routes: [{ id: 'echo', match: { path: '/api/*' }, upstream: 'echo' }],
      more: {
        identity: {
          issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: ['api'] }],
        },
      },
    });
    const token = await shop.services.identity.token('user', { iss: 'http://127.0.0.1:1' });
    const answer = await shop.call('/api/x', { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'identity-unavailable' });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    await shop.stop();
  });
});
