import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/client.ts';
import { API_KEY, useShop, type RouteInput, type ShopCall } from '../support/shop.ts';

const route = (id: string, rateLimit: unknown, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { rateLimit, ...policies },
});
const open = { authentication: 'public' };

const holder = useShop({
  more: { trustedProxies: ['loopback'] },
  routes: [
    route('by-ip', { key: 'ip', rate: 2, per: '1h' }, open),
    route('by-principal', { key: 'principal', rate: 2, per: '1h' }),
    route('by-key', { key: 'apiKey', rate: 2, per: '1h' }),
    route('for-all', { key: 'global', rate: 3, per: '1h' }, open),
    route('fields', { key: 'ip', rate: 10, per: '10s', burst: 4 }, open),
    route('several', [{ key: 'ip', rate: 100, per: '1h' }, { key: 'global', rate: 2, per: '1h' }], open), // prettier-ignore
    route('refilled', { key: 'ip', rate: 1, per: '1s' }, open),
    route('priced', { key: 'ip', rate: 10, per: '1h', cost: 4 }, open),
  ],
});

async function statuses(path: string, calls: readonly ShopCall[]): Promise<number[]> {
  const found: number[] = [];
  for (const one of calls) found.push((await holder.shop.call(path, one)).status);
  return found;
}

const from = (address: string): ShopCall => ({ headers: { 'x-forwarded-for': address } });

describe('a rate limit', () => {
  it('by address gives every client its own bucket, and an IPv6 subscriber one for all addresses', async () => {
    expect(
      await statuses('/by-ip', [from('1.1.1.1'), from('1.1.1.1'), from('1.1.1.1'), from('2.2.2.2')]),
    ).toEqual([200, 200, 429, 200]);
    expect(await statuses('/by-ip', [from('2001:db8::1'), from('2001:db8::2'), from('2001:db8::3')])).toEqual(
      [200, 200, 429],
    );
  });

  it('by principal holds over tokens and addresses, and nobody burns the quota of another', async () => {
    const calls: ShopCall[] = [
      { as: 'user' },
      { as: 'user', ...from('3.3.3.3') },
      { as: 'user' },
      { as: 'admin' },
      {},
    ];
    expect(await statuses('/by-principal', calls)).toEqual([200, 200, 429, 200, 401]);
  });

  it('by API key', async () => {
    const calls: ShopCall[] = [{ apiKey: API_KEY }, { apiKey: API_KEY }, { apiKey: API_KEY }, { as: 'user' }];
    expect(await statuses('/by-key', calls)).toEqual([200, 200, 429, 200]);
  });

  it('for everybody together', async () => {
    expect(
      await statuses(
        '/for-all',
        ['1', '2', '3', '4'].map((n) => from(`${n}.0.0.1`)),
      ),
    ).toEqual([200, 200, 200, 429]);
  });

  it('of several rules refuses when one does, and the others lose nothing by it', async () => {
    expect(await statuses('/several', [{}, {}, {}, {}])).toEqual([200, 200, 429, 429]);
    const { headers } = await holder.shop.call('/several');
    expect(headers['ratelimit']).toMatch(/"ip";r=98;/);
  });

  it('takes what a request costs', async () => {
    expect(await statuses('/priced', [{}, {}, {}])).toEqual([200, 200, 429]);
  });

  it('lets requests pass again after the time in Retry-After', async () => {
    expect(await statuses('/refilled', [{}, {}])).toEqual([200, 429]);
    const refused = await holder.shop.call('/refilled');
    const { retryAfterMs } = refused.json<{ retryAfterMs: number }>();
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 5));
    expect((await holder.shop.call('/refilled')).status).toBe(200);
  });
});

describe('the fields of a rate limit', () => {
  it('stand on every answer and count down to 429 with Retry-After', async () => {
    const answers: Answer[] = [];
    for (let i = 0; i < 5; i += 1) answers.push(await holder.shop.call('/fields'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['3', '2', '1', '0', '0']);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({ 'x-ratelimit-limit': '4', 'ratelimit-policy': '"ip";q=4;w=4' });
      expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThanOrEqual(1);
      expect(headers['ratelimit']).toMatch(/^"ip";r=\d;t=\d$/);
    }
    expect(Number(answers[4]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(answers[0]?.headers).not.toHaveProperty('retry-after');
    expect(answers[4]?.json()).toMatchObject({ code: 'rate-limited', retryAfterMs: expect.any(Number) });
  });
});
