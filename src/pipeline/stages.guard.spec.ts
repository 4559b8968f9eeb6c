import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseGuards, UseInterceptors } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { exchangeFor } from '../../test/support/stage-server.ts';
import { call } from '../../test/support/client.ts';
import { toyAnswer } from '../../test/support/toy-policy.ts';
import { RateLimitInterceptor } from '../policies/rate-limit/rate-limit.interceptor.ts';
import { rateLimitPolicy } from '../policies/rate-limit/rate-limit.policy.ts';
import { circuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.ts';
import { seatsOf } from '../policies/seats.ts';
import { ProblemFilter } from '../problems/problem.filter.ts';
import type { Route } from '../routing/route.ts';
import { SeatedGuards } from './seated-guards.ts';
import { StageAnswerFilter } from './stage-answer.filter.ts';
import { StagesGuard } from './stages.guard.ts';

@Controller()
class LateController {
  @Get('guarded')
  @UseGuards(StagesGuard)
  guarded(): string {
    return 'the handler';
  }

  @Get('intercepted')
  @UseInterceptors(RateLimitInterceptor)
  intercepted(): string {
    return 'the handler';
  }
}

const enter = () => Promise.resolve(toyAnswer('"a stage"'));
const route = seatsOf(
  [
    { policy: rateLimitPolicy, stage: { enter } },
    { policy: circuitBreakerPolicy, stage: { enter } },
  ],
  'handler',
) as Route;

describe('adapters of Nest', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    const testing = await Test.createTestingModule({
      imports: [DiscoveryModule],
      controllers: [LateController],
      providers: [SeatedGuards],
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (request, reply, done) => {
        request.exchange = exchangeFor(request.raw, reply.raw);
        request.exchange.route = route;
        request.exchange.admitted = true;
        done();
      });
    app.useGlobalFilters(new ProblemFilter(), new StageAnswerFilter());
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  it.each(['guarded', 'intercepted'])('send what a stage answers (%s)', async (path) => {
    const answer = await call(`${await app.getUrl()}/${path}`);
    expect([answer.status, answer.text]).toEqual([200, '"a stage"']);
  });
});
