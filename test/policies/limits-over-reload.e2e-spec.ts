import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { reload } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const SMALL = { key: 'ip', rate: 3, per: '1d' };
const LARGE = { key: 'global', rate: 100, per: '1d' };
const SLOW = { key: 'ip', rate: 50, per: '300d' };
const NAMED = { name: 'named', key: 'ip', rate: 40, per: '1h' };

let redis: RedisServer;
let service: TestUpstream;

beforeAll(async () => {
  [redis, service] = await Promise.all([startRedis(), startUpstream()]);
});
afterAll(() => Promise.all([redis.stop(), service.stop()]));

describe.each([
  ['in this process', false],
  ['in Redis', true],
])('buckets %s', (_where, isShared) => {
  let gateway: TestGateway;

  const configOf = (rateLimit: readonly object[], floodLimit: readonly object[] = [FLOOD, SLOWER]) => ({
    version: 1,
    floodLimit,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { it: { targets: [service.url] } },
    routes: [{ id: 'limited', match: { path: '/limited' }, upstream: 'it', policies: { rateLimit } }],
  });

  beforeAll(async () => {
    const config = JSON.stringify(configOf([SMALL, LARGE, SLOW, NAMED]));
    gateway = await startGateway({ config, environment: isShared ? { REDIS_URL: redis.url } : {} });
  });
  afterAll(() => gateway.stop());

  const ask = async () => {
    const { status, headers } = await call(`${gateway.url}/limited`);
    const left = String(headers['ratelimit']).matchAll(/;r=(\d+)/g);
    return { status, left: [...left].map(([, r]) => Number(r)) };
  };

  it('go on when rules change their places, and when their numbers change', async () => {
    expect(await ask()).toEqual({ status: 200, left: [2, 99, 49, 39] });
    expect((await reload(gateway, configOf([NAMED, LARGE, SLOW, SMALL]))).outcome).toBe('reloaded');
    expect(await ask()).toEqual({ status: 200, left: [38, 98, 48, 1] });
    expect((await reload(gateway, configOf([LARGE, SMALL]))).outcome).toBe('reloaded');
    expect(await ask()).toEqual({ status: 200, left: [97, 0] });
    await reload(gateway, configOf([SMALL, { ...NAMED, key: 'ip', rate: 45 }, LARGE]));
    expect(await ask()).toMatchObject({ status: 429 });
    await reload(gateway, configOf([{ ...NAMED, rate: 20, burst: 20 }]));
    expect((await ask()).left).toEqual([19]);
  });
});

const FLOOD = { rate: 5000, per: '1s' };
const SLOWER = { rate: 100_000, per: '1h' };
