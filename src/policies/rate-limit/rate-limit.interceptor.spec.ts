import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { ProblemFilter } from '../../problems/problem.filter.ts';
import { parsePathPattern } from '../../routing/path-pattern.ts';
import { handlerAction } from '../../routing/route-action.ts';
import type { Route } from '../../routing/route.ts';
import { StoreModule } from '../../store/store.module.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { continueTrace } from '../../telemetry/trace-context.ts';
import { seatsOf } from '../seats.ts';
import type { Stage } from '../stage.ts';
import { RateLimitInterceptor } from './rate-limit.interceptor.ts';
import { RateLimitModule } from './rate-limit.module.ts';
import { rateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimitStageFactory } from './rate-limit.stage.ts';
import { LOCAL_RATE_LIMITER, RATE_LIMITER } from './rate-limiter.ts';
import { MemoryTokenBucket } from './token-bucket.memory.ts';
import { RedisTokenBucket } from './token-bucket.redis.ts';

@Controller()
class TeamController {
  @Get('/limited')
  @UseInterceptors(RateLimitInterceptor, RateLimitInterceptor)
  limited(): { served: boolean } {
    return { served: true };
  }
}

function routeWith(stage: Stage): Route {
  const match = { methods: [], hosts: [], path: '/limited', headers: {} };
  return {
    id: 'team',
    door: 'handler',
    origin: 'TeamController.limited',
    match,
    pattern: parsePathPattern(match.path),
    conditions: [],
    priority: 0,
    paths: { encodedSlashes: 'refuse' as const, trailingSlash: 'refuse' as const },
    upstream: undefined,
    action: handlerAction,
    policies: {},
    levels: {},
    ...seatsOf([{ policy: rateLimitPolicy, stage }], 'handler'),
    beforeBody: [],
    metrics: new Metrics().forRoute('team'),
  };
}

/** Boots a team's module with the interceptor; the hook does what the open and match stages do. */
async function boot(redisUrl: string | undefined, limited: boolean): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [StoreModule.forRoot({ redisUrl, budgetMs: 10_000 }), RateLimitModule],
    controllers: [TeamController],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  app.useGlobalFilters(new ProblemFilter());
  const policies = { rateLimit: rateLimitPolicy.schema.parse({ key: 'ip', rate: 2, per: '1h' }) };
  const stage = app.get(RateLimitStageFactory).compile({ routeId: 'team', door: 'handler', policies });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', async (request, reply) => {
      request.exchange = new Exchange({
        id: 'e',
        trace: continueTrace(undefined, undefined),
        clientAddress: '192.0.2.1',
        scheme: 'http',
        host: 'localhost',
        path: '/limited',
        query: '',
        request: request.raw,
        response: reply.raw,
      });
      if (limited && stage !== undefined) request.exchange.route = routeWith(stage);
    });
  await app.listen(0, '127.0.0.1');
  return app;
}

describe('RateLimitInterceptor', () => {
  let server: RedisServer;
  let app: NestFastifyApplication | undefined;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterEach(() => app?.close());
  afterAll(() => server.stop());

  async function statuses(count: number): Promise<number[]> {
    const url = `${(await app?.getUrl()) ?? ''}/limited`;
    const seen: number[] = [];
    for (let call = 0; call < count; call += 1) seen.push((await fetch(url)).status);
    return seen;
  }

  it('charges an exchange once, though it is seated twice, with the buckets in process', async () => {
    app = await boot(undefined, true);
    expect(app.get(RATE_LIMITER)).toBe(app.get(LOCAL_RATE_LIMITER));
    expect(app.get(RATE_LIMITER)).toBeInstanceOf(MemoryTokenBucket);
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });

  it('charges an exchange once, though it is seated twice, with the buckets in Redis', async () => {
    app = await boot(server.url, true);
    expect(app.get(RATE_LIMITER)).toBeInstanceOf(RedisTokenBucket);
    expect(await statuses(3)).toEqual([200, 200, 429]);
    const answer = await fetch(`${await app.getUrl()}/limited`);
    expect(await answer.json()).toMatchObject({ code: 'rate-limited', retryAfterMs: expect.any(Number) });
    expect(answer.headers.get('retry-after')).toMatch(/^1(800|79\d)$/);
    expect(answer.headers.get('ratelimit')).toMatch(/^"ip";r=0;t=1(800|79\d)$/);
    expect(answer.headers.get('x-ratelimit-limit')).toBe('2');
  });

  it('stands aside on a route without a limit', async () => {
    app = await boot(undefined, false);
    expect(await statuses(4)).toEqual([200, 200, 200, 200]);
  });
});
