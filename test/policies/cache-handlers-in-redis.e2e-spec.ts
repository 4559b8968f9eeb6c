import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KeptController, handlers } from '../support/kept-handlers.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

@Module({ controllers: [KeptController] })
class SharedModule {}

const config = JSON.stringify({
  version: 1,
  defaults: { policies: { authentication: 'public' } },
  upstreams: {},
  routes: [],
});

let redis: RedisServer;
let replicas: TestGateway[] = [];

beforeAll(async () => {
  redis = await startRedis();
  const environment = { REDIS_URL: redis.url };
  for (let i = 0; i < 2; i += 1)
    replicas.push(await startGateway({ config, modules: [SharedModule], environment }));
});
afterAll(async () => {
  await Promise.all(replicas.map((one) => one.stop()));
  await redis.stop();
});

/** What two replicas answer, one after the other; the host is the same for both. */
async function both(path: string) {
  const [one, other] = replicas as [TestGateway, TestGateway];
  const headers = { host: 'shop.example' };
  const first = await call(one.url + path, { headers });
  // Nobody waits for what is written.
  await sleep(20);
  return { first, second: await call(other.url + path, { headers }) };
}

describe('the answer of a handler in Redis', () => {
  it('is found by another replica', async () => {
    const before = handlers.runs;
    let tries = 0;
    let pair = await both('/kept/shared/0');
    // A Redis that is slow for a moment on a busy machine is no matter of this test.
    for (tries = 1; pair.second.headers['x-cache'] !== 'HIT' && tries < 50; tries += 1)
      pair = await both(`/kept/shared/${tries}`);
    expect(pair.second.headers['x-cache']).toBe('HIT');
    expect(pair.second.text).toBe(pair.first.text);
    expect(handlers.runs - before).toBe(2 * (tries - 1) + 1);
    const other = replicas[1] as TestGateway;
    const metrics = await call(`${other.adminUrl}/metrics`);
    expect(metrics.text).toMatch(/gatehouse_cache_requests_total\{route="kept\.shared",result="shared"\} 1/);
  });

  it('stays in its process without being asked to', async () => {
    const { first, second } = await both('/kept/json/own');
    expect(second.headers).not.toHaveProperty('x-cache');
    expect(second.text).not.toBe(first.text);
  });
});
