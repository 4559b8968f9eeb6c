import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LogLine } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { untilReplicas } from '../support/replicas.ts';
import { startShop, type Shop, type ShopOptions } from '../support/shop.ts';

let redis: RedisServer;
let one: Shop;
let other: Shop;

const route = (id: string, rateLimit: object) => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { authentication: 'public', rateLimit },
});

const options: ShopOptions = {
  environment: () => ({ REDIS_URL: redis.url }),
  routes: [
    route('shared', { key: 'global', rate: 50, per: '1d' }),
    route('local', { key: 'ip', rate: 5, per: '1d' }),
    route('closed', { key: 'ip', rate: 5, per: '1d', onStoreError: 'closed' }),
    route('open', { key: 'ip', rate: 5, per: '1d', onStoreError: 'open' }),
  ],
};

beforeAll(async () => {
  redis = await startRedis();
  [one, other] = await Promise.all([startShop(options), startShop(options)]);
});
afterAll(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await redis.stop();
});

async function admitted(shop: Shop, path: string, requests: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: requests }, () => shop.call(path)));
  expect(answers.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
  return answers.filter(({ status }) => status === 200).length;
}

describe('a limit in Redis', () => {
  it('is one bucket for two gateways, exact under concurrency', async () => {
    const [a, b] = await Promise.all([admitted(one, '/shared', 60), admitted(other, '/shared', 60)]);
    expect(a + b).toBe(50);
    const keys = await redis.client().keys('ratelimit:*');
    expect(keys).toEqual([expect.stringContaining('shared')]);
    expect(await redis.client().pttl(keys[0] ?? '')).toBeGreaterThan(0);
  });

  it('goes on as each limit says when Redis is killed: local, closed or open; never a 500', async () => {
    await Promise.all([untilReplicas(one, 2), untilReplicas(other, 2)]);
    expect(await admitted(one, '/local', 3)).toBe(3);
    await redis.kill();
    // Two gateways share what one limit allows, and neither more than its half.
    expect(await admitted(one, '/local', 20)).toBe(2);
    expect(await admitted(other, '/local', 20)).toBe(2);
    expect(await admitted(one, '/open', 20)).toBe(20);
    const refused = await one.call('/closed');
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({ code: 'limiter-unavailable' });
    const metrics = await one.metrics();
    expect(metrics).toMatch(
      /gatehouse_rate_limit_decisions_total\{route="local",outcome="store-error-local"\} \d+/,
    );
    expect(metrics).toContain('gatehouse_store_up 0');
  });

  it('is exact again once Redis is back', async () => {
    const isBack = ({ msg, store }: LogLine): boolean =>
      store === 'on' || msg.startsWith('Redis is connected');
    const before = [one, other].map(({ gateway }) => gateway.lines.filter(isBack).length);
    await redis.restart();
    for (const [index, { gateway }] of [one, other].entries())
      await gateway.linesWhere(isBack, (before[index] ?? 0) + 1);
    // A restarted Redis has no script: the first call brings it, and takes longer.
    await admitted(one, '/open', 1);
    await admitted(other, '/open', 1);
    expect((await admitted(one, '/closed', 4)) + (await admitted(other, '/closed', 4))).toBe(5);
  });
});
