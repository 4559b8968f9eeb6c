import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, of } from 'rxjs';
import { createExchange } from '../../../test/support/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageInput } from '../stage-factory.ts';
import { circuitOpen } from './circuit-open.ts';
import { CircuitBreakerInterceptor } from './circuit-breaker.interceptor.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';
import { CircuitBreakerStageFactory, HandlerBreakStage } from './circuit-breaker.stage.ts';

const parse = (more: object = {}) =>
  circuitBreakerPolicy.schema.parse({ consecutiveFailures: 2, openFor: '90s', ...more });
const compile = (input: Partial<StageInput>) =>
  new CircuitBreakerStageFactory().compile({ routeId: 'r', door: 'proxy', policies: {}, ...input });

describe('the break stage of a proxied route', () => {
  it('refuses with the time until a probe while every target is open', () => {
    let refusal: Problem | undefined = undefined;
    const stage = compile({ upstreamRefusal: () => refusal });
    expect(stage?.enter?.(createExchange())).toBeUndefined();
    refusal = circuitOpen(1500, 0);
    try {
      void stage?.enter?.(createExchange());
      throw new Error('it passed');
    } catch (error) {
      expect(error).toMatchObject({ code: 'circuit-open', status: 503, headers: { 'retry-after': '2' } });
    }
  });

  it('is absent without an upstream', () => {
    expect(compile({})).toBeUndefined();
  });

  it('is no policy of the route', () => {
    expect(() => compile({ policies: { circuitBreaker: parse() } })).toThrow(
      'upstreams.<name>.circuitBreaker',
    );
  });
});

describe('the breaker of a handler', () => {
  const stages: HandlerBreakStage[] = [];

  afterEach(() => {
    for (const stage of stages.splice(0)) stage.close();
  });

  function create(more?: object): HandlerBreakStage {
    const stage = compile({ door: 'handler', policies: { circuitBreaker: parse(more) } });
    if (!(stage instanceof HandlerBreakStage)) throw new Error('no stage');
    stages.push(stage);
    return stage;
  }

  /** One exchange that meets the breaker and ends with this problem, or with 200. */
  const run = (stage: HandlerBreakStage, problem?: Problem) => {
    const exchange = createExchange();
    stage.enter(exchange);
    exchange.problem = problem;
    exchange.status = problem?.status ?? 200;
    exchange.close();
    return exchange;
  };

  it('is absent when the handler declares none', () => {
    expect(compile({ door: 'handler' })).toBeUndefined();
  });

  it('writes the state that it was in on the exchange', () => {
    expect(run(create()).breaker).toBe('closed');
  });

  it.each(['internal', 'upstream-timeout', 'deadline-exceeded'] as const)(
    'opens by %s, and then refuses with the time until a probe',
    (code) => {
      const stage = create();
      run(stage, new Problem(code));
      run(stage, new Problem(code));
      expect(stage.breaker.state).toBe('open');
      try {
        run(stage);
        throw new Error('it passed');
      } catch (error) {
        expect(error).toMatchObject({
          code: 'circuit-open',
          headers: { 'retry-after': expect.stringMatching(/^(9\d|10[0-8])$/) },
        });
      }
    },
  );

  it('opens by a status of 5xx that the handler answers itself', () => {
    const stage = create();
    for (let i = 0; i < 2; i += 1) {
      const exchange = createExchange();
      stage.enter(exchange);
      exchange.status = 503;
      exchange.close();
    }
    expect(stage.breaker.state).toBe('open');
  });

  it.each(['request-invalid', 'resource-not-found', 'client-closed'] as const)(
    'never opens by %s',
    (code) => {
      const stage = create();
      for (let i = 0; i < 30; i += 1) run(stage, new Problem(code));
      expect(stage.breaker.state).toBe('closed');
    },
  );

  it.each([
    ['whose client left', 'client-closed'],
    ['whose deadline passed', 'deadline-exceeded'],
  ] as const)('gives back the admission of an abandoned probe %s', async (_, code) => {
    const stage = create({ openFor: '1ms' });
    run(stage, new Problem('internal'));
    run(stage, new Problem('internal'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stage.breaker.state).toBe('half-open');
    run(stage, new Problem(code));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run(stage).breaker).toBe('half-open');
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(stage.breaker.state).toBe('closed');
  });

  it('tells its interceptor that an exchange is admitted already', () => {
    const stage = create();
    const exchange = createExchange();
    stage.enter(exchange);
    exchange.route = {
      seats: {
        circuitBreaker: {
          ...stage,
          enter: () => {
            throw new Error('admitted twice');
          },
        },
      },
    } as never;
    const context = { getType: () => 'http', switchToHttp: () => ({ getRequest: () => ({ exchange }) }) };
    const answer = new CircuitBreakerInterceptor().intercept(context as never, {
      handle: () => of('answer'),
    });
    return expect(firstValueFrom(answer)).resolves.toBe('answer');
  });
});
