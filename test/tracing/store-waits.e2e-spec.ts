import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { Collector, otelVariables, setVariables } from '../support/collector.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

let collector: Collector;
let redis: RedisServer;
let gateway: TestGateway;
let restore: () => void;

beforeAll(async () => {
  [collector, redis] = await Promise.all([new Collector().start(), startRedis()]);
  const variables = otelVariables(collector.url, { REDIS_URL: redis.url });
  restore = setVariables(variables);
  const config = JSON.stringify({
    version: 1,
    routes: [
      {
        id: 'limited',
        match: { path: '/limited' },
        respond: { status: 200, body: 'ok' },
        policies: { authentication: 'public', rateLimit: { key: 'ip', rate: 100, per: '1m' } },
      },
    ],
  });
  gateway = await startGateway({ config, environment: variables });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([collector.stop(), redis.stop()]);
  restore();
});

it('shows what a policy waits for, and that it was Redis, for each of those who ask at once', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => call(`${gateway.url}/limited`)));
  const lines = await gateway.accessLines(answers.length);
  for (const { traceId } of lines) {
    const spans = await collector.traceOf(String(traceId));
    const server = spans.find(({ kind }) => kind === 'server');
    expect(spans.find(({ name }) => name === 'stage rateLimit')).toMatchObject({
      kind: 'internal',
      parentId: server?.spanId,
      attributes: { 'gatehouse.policy': 'rateLimit', 'gatehouse.outcome': 'passed' },
    });
    expect(spans.find(({ name }) => name.startsWith('redis '))).toMatchObject({
      kind: 'client',
      parentId: server?.spanId,
      attributes: { 'db.system.name': 'redis' },
    });
  }
  expect(collector.raw.join('')).not.toContain('ratelimit:');
});
