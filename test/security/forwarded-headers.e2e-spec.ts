import { describe, expect, it } from '@jest/globals';
import { useShop, type ShopOptions } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const routes: ShopOptions['routes'] = [
  { id: 'open', match: { path: '/open' }, upstream: 'echo', policies: { authentication: 'public' } },
  {
    id: 'limited',
    match: { path: '/limited' },
    upstream: 'echo',
    policies: { authentication: 'public', rateLimit: { key: 'ip', rate: 2, per: '1h' } },
  },
];
const distrustful = useShop({ routes });
const trusting = useShop({ routes, more: { trustedProxies: ['loopback', '10.0.0.0/8'] } });

const FORWARDED = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example.com',
  'x-real-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9;proto=https',
};

describe('forwarding headers of a client that is no trusted proxy', () => {
  it('are not believed and not passed on', async () => {
    const answer = await distrustful.shop.call('/open', { headers: { ...FORWARDED, host: 'api' } });
    const { headers } = answer.json<Echo>();
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'api',
    });
    expect(headers).not.toHaveProperty('forwarded');
    expect(headers).not.toHaveProperty('x-real-ip');
    expect(await distrustful.shop.lineOf(answer)).toMatchObject({ client: '127.0.0.1' });
  });

  it('do not get it another bucket', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const headers = { 'x-forwarded-for': `203.0.113.${i}`, 'x-real-ip': `203.0.113.${i}` };
      statuses.push((await distrustful.shop.call('/limited', { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
  });
});

describe('forwarding headers of a trusted proxy', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, 10.1.2.3', '203.0.113.9'],
    ['nonsense, 203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, nonsense', '127.0.0.1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8::7', '2001:db8::7'],
    ['', '127.0.0.1'],
  ])('are believed as far as trusted proxies vouch for them: %p is %s', async (chain, client) => {
    const answer = await trusting.shop.call('/open', { headers: { 'x-forwarded-for': chain } });
    expect(answer.json<Echo>().headers['x-forwarded-for']).toBe(client);
    expect(await trusting.shop.lineOf(answer)).toMatchObject({ client });
  });

  it('tell the scheme that the client used', async () => {
    const answer = await trusting.shop.call('/open', { headers: FORWARDED });
    expect(answer.json<Echo>().headers['x-forwarded-proto']).toBe('https');
  });

  it('give every client a bucket of its own', async () => {
    const status = async (client: string) =>
      (await trusting.shop.call('/limited', { headers: { 'x-forwarded-for': client } })).status;
    expect([await status('1.1.1.1'), await status('1.1.1.1'), await status('1.1.1.1')]).toEqual([
      200, 200, 429,
    ]);
    expect(await status('2.2.2.2')).toBe(200);
  });

  it.each([
    ['IPv4', '198.51.100.7:4711', '198.51.100.7:4712', '::ffff:198.51.100.7', '[::ffff:c633:6407]:443'],
    ['IPv6', '[2001:DB8::9]:443', '2001:db8:0:0::9', '2001:db8::9%eth0', '[2001:db8::9]:444'],
  ])('give one client one bucket, however its address is spelled: %s', async (_, ...spellings) => {
    const statuses: number[] = [];
    for (const client of spellings) {
      const headers = { 'x-forwarded-for': client };
      statuses.push((await trusting.shop.call('/limited', { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
  });

  it.each(['HTTPS', 'wss', 'http, https'])('tell the scheme also as %s', async (proto) => {
    const headers = { 'x-forwarded-for': '203.0.113.9:99', 'x-forwarded-proto': proto };
    const seen = (await trusting.shop.call('/open', { headers })).json<Echo>().headers;
    expect(seen).toMatchObject({ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' });
  });
});
