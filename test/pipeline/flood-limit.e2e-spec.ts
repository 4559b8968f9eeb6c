import { describe, expect, it } from '@jest/globals';
import { useShop } from '../support/shop.ts';

const holder = useShop({
  more: { trustedProxies: ['loopback'], floodLimit: { key: 'ip', rate: 5, per: '1h' } },
  routes: [{ id: 'closed', match: { path: '/closed' }, upstream: 'echo' }],
});

const from = (address: string, token = 'Bearer a.b.c') => ({
  headers: { 'x-forwarded-for': address, authorization: token },
});

describe('the flood limit', () => {
  it('stops bad credentials of one address before they are checked, and leaves other addresses alone', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 7; i += 1) statuses.push((await holder.shop.call('/closed', from('6.6.6.6'))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const refused = await holder.shop.call('/nowhere', from('6.6.6.6'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await holder.shop.call('/closed', from('7.7.7.7'))).status).toBe(401);
  });

  it('guards the code-first door too', async () => {
    for (let i = 0; i < 5; i += 1) await holder.shop.call('/api/v1/orders', from('8.8.8.8'));
    const answer = await holder.shop.call('/api/v1/orders', from('8.8.8.8'));
    expect(answer.status).toBe(429);
    expect(await holder.shop.lineOf(answer)).toMatchObject({ status: 429, client: '8.8.8.8' });
  });
});
