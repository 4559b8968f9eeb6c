import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { StoreGuard } from '../../store/store-guard.ts';
import { continueTrace } from '../../telemetry/trace-context.ts';
import { KnownKey } from '../authentication/api-keys/known-key.ts';
import type { Stage } from '../stage.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

const HOUR_MS = 3_600_000;
let hashes = 0;

function holder(clientId: string, burst: number | undefined): Principal {
  const rateLimit = burst === undefined ? undefined : { rate: burst, per: HOUR_MS, burst };
  const names = { roles: [], permissions: [], scopes: [] };
  const sha256 = String((hashes += 1)).padStart(64, '0');
  return new KnownKey({ ...names, sha256, clientId, status: 'active', rateLimit }).principal;
}

function exchangeOf(principal: Principal): Exchange {
  const request = new IncomingMessage(new Socket());
  const trace = continueTrace(undefined, undefined);
  const place = { clientAddress: '192.0.2.1', scheme: 'http', host: 'a', path: '/', query: '' } as const;
  const exchange = new Exchange({ id: 'e', trace, ...place, request, response: new ServerResponse(request) });
  exchange.principal = principal;
  return exchange;
}

function stageOf(limiter: RateLimiter, routeId: string, rate?: number): Stage | undefined {
  const rateLimit =
    rate === undefined ? undefined : rateLimitPolicy.schema.parse({ rate, per: '1h', key: 'global' });
  const policies = { authentication: { schemes: ['jwt' as const, 'apiKey' as const] }, rateLimit };
  return new RateLimitStageFactory(limiter, new MemoryTokenBucket()).compile({
    routeId,
    door: 'proxy',
    policies,
  });
}

/** How many of ten requests pass, and the header fields of the last one. */
async function passing(
  stages: readonly (Stage | undefined)[],
  principal: Principal,
): Promise<{ passed: number; fields: Record<string, string> }> {
  let passed = 0;
  let fields: Record<string, string> = {};
  for (let i = 0; i < 10; i += 1) {
    const exchange = exchangeOf(principal);
    try {
      await stages[i % stages.length]?.enter?.(exchange);
      passed += 1;
    } catch (error) {
      expect((error as Problem).code).toBe('rate-limited');
    }
    const { responseHeaders } = exchange;
    fields = Object.fromEntries(
      responseHeaders.flatMap((text, at) => (at % 2 === 0 ? [[text, responseHeaders[at + 1] ?? '']] : [])),
    );
  }
  return { passed, fields };
}

describe('the limit of a client', () => {
  it.each<[string, number | undefined, number | undefined, number, string | undefined]>([
    ['where the route has none', 3, undefined, 3, '3'],
    ['where it is tighter than that of the route', 3, 7, 3, '3'],
    ['where that of the route is tighter', 7, 3, 3, '3'],
    ['not where there is none at all', undefined, undefined, 10, undefined],
    ['not where only the route has one', undefined, 4, 4, '4'],
  ])('holds %s', async (_what, own, ofRoute, passed, limit) => {
    const found = await passing([stageOf(new MemoryTokenBucket(), 'r', ofRoute)], holder('app', own));
    expect([found.passed, found.fields['X-RateLimit-Limit']]).toEqual([passed, limit]);
    expect(found.fields['RateLimit-Policy']?.includes('"client"') ?? false).toBe(own !== undefined);
  });

  it('is one for all routes', async () => {
    const limiter = new MemoryTokenBucket();
    const stages = ['a', 'b', 'c'].map((id) => stageOf(limiter, id, 100));
    expect((await passing(stages, holder('app', 4))).passed).toBe(4);
  });

  it('is one for all keys that have the same, and for nobody else', async () => {
    const stages = [stageOf(new MemoryTokenBucket(), 'r')];
    expect((await passing(stages, holder('app', 4))).passed).toBe(4);
    expect((await passing(stages, holder('app', 4))).passed).toBe(0);
    expect((await passing(stages, holder('app', 5))).passed).toBe(5);
    expect((await passing(stages, holder('apps', 4))).passed).toBe(4);
  });

  it('takes nothing of it for what the route refuses, and the other way round', async () => {
    const limiter = new MemoryTokenBucket();
    const [tight, wide] = [stageOf(limiter, 'tight', 1), stageOf(limiter, 'wide', 100)];
    const client = holder('app', 5);
    expect((await passing([tight], client)).passed).toBe(1);
    expect((await passing([wide], client)).passed).toBe(4);
  });

  it('is not there where no key could have it', () => {
    const policies = { authentication: { schemes: ['jwt' as const] } };
    const factory = new RateLimitStageFactory(new MemoryTokenBucket(), new MemoryTokenBucket());
    expect(factory.compile({ routeId: 'r', door: 'proxy', policies })).toBeUndefined();
    expect(
      factory.compile({ routeId: 'r', door: 'proxy', policies: { authentication: 'public' } }),
    ).toBeUndefined();
  });
});

describe('the limit of a client over replicas', () => {
  let server: RedisServer;
  const guards: StoreGuard[] = [];

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(async () => {
    for (const guard of guards) guard.close();
    await server.stop();
  });

  it('is exact', async () => {
    const replicas = [1, 2].map(() => {
      const redis = server.client();
      const guard = new StoreGuard({ probe: () => redis.ping(), budgetMs: 2000 });
      guards.push(guard);
      return stageOf(new RedisTokenBucket(redis, guard), 'r');
    });
    // Each replica makes its own of what it reads.
    const holders = [holder('app', 7), holder('app', 7)];
    const all = Array.from({ length: 40 }, async (_, i) => {
      await replicas[i % 2]?.enter?.(exchangeOf(holders[i % 2] as Principal));
    });
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    const client = server.client();
    expect(await client.keys('ratelimit:*')).toEqual([
      `ratelimit::client:7/${HOUR_MS}/7:{client:apiKey::app}`,
    ]);
  });
});
