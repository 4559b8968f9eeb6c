import type { CallHandler } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EMPTY, firstValueFrom, lastValueFrom, NEVER, of, throwError, type Observable } from 'rxjs';
import { createExchange } from '../../../test/support/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageInput } from '../stage.ts';
import { guarded } from './circuit-breaker.interceptor.ts';
import { circuitBreakerPolicy } from './circuit-breaker.policy.ts';
import { CircuitBreakerStageFactory, HandlerBreakStage } from './circuit-breaker.stage.ts';

const parse = (more: object = {}) =>
  circuitBreakerPolicy.schema.parse({ consecutiveFailures: 2, openFor: '90s', ...more });
const compile = (input: Partial<StageInput>) =>
  new CircuitBreakerStageFactory().compile({ routeId: 'r', door: 'proxy', policies: {}, ...input });

describe('the break stage of a proxied route', () => {
  it('refuses with the time until a probe while every target is open', () => {
    let openForMs = 0;
    const stage = compile({ upstreamOpenForMs: () => openForMs });
    expect(stage?.enter?.(createExchange())).toBeUndefined();
    openForMs = 1500;
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

  const handler = (answer: Observable<unknown>): CallHandler => ({ handle: () => answer });
  const run = (stage: HandlerBreakStage, answer: Observable<unknown>) =>
    lastValueFrom(guarded(stage, createExchange(), handler(answer)), { defaultValue: undefined });
  const fail = (stage: HandlerBreakStage, error: unknown) =>
    run(
      stage,
      throwError(() => error),
    ).catch((thrown: unknown) => thrown);

  it('is absent when the handler declares none', () => {
    expect(compile({ door: 'handler' })).toBeUndefined();
  });

  it('hands answers and errors through untouched', async () => {
    const stage = create();
    const error = new Error('broken');
    expect(await run(stage, of(1))).toBe(1);
    expect(await run(stage, EMPTY)).toBeUndefined();
    expect(await fail(stage, error)).toBe(error);
  });

  it.each([
    ['an unexpected error', new Error('broken')],
    ['a 5xx problem', new Problem('upstream-timeout')],
  ])('opens by %s, and then does not call the handler', async (_, error) => {
    const stage = create();
    await fail(stage, error);
    await fail(stage, error);
    let called = 0;
    const refused = guarded(stage, createExchange(), {
      handle: () => {
        called += 1;
        return of(1);
      },
    });
    await expect(firstValueFrom(refused)).rejects.toMatchObject({
      code: 'circuit-open',
      headers: { 'retry-after': '90' },
    });
    expect(called).toBe(0);
  });

  it.each(['request-invalid', 'resource-not-found', 'client-closed'] as const)(
    'never opens by %s',
    async (code) => {
      const stage = create();
      for (let i = 0; i < 30; i += 1) await fail(stage, new Problem(code));
      expect(stage.breaker.state).toBe('closed');
    },
  );

  it.each([
    ['whose client left', 'client-closed'],
    ['whose deadline passed', 'deadline-exceeded'],
  ] as const)('gives back the admission of an abandoned probe %s', async (_, code) => {
    const stage = create({ openFor: '1ms' });
    await fail(stage, new Error('1'));
    await fail(stage, new Error('2'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stage.breaker.state).toBe('half-open');
    const exchange = createExchange();
    const subscription = guarded(stage, exchange, handler(NEVER)).subscribe();
    exchange.cancel(new Problem(code));
    subscription.unsubscribe();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await run(stage, of('again'))).toBe('again');
    expect(stage.breaker.state).toBe('closed');
  });

  it('counts a deadline that passed, and not a client that left', () => {
    const abandon = (code: 'client-closed' | 'deadline-exceeded') => {
      const stage = create();
      for (let i = 0; i < 2; i += 1) {
        const exchange = createExchange();
        const subscription = guarded(stage, exchange, handler(NEVER)).subscribe();
        exchange.cancel(new Problem(code));
        subscription.unsubscribe();
      }
      return stage.breaker.state;
    };
    expect(abandon('client-closed')).toBe('closed');
    expect(abandon('deadline-exceeded')).toBe('open');
  });
});
