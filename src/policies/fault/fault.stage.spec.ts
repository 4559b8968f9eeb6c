import { expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../../test/support/exchange.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { readEnvironment } from '../../config/env.schema.ts';
import { grpcStatusName, grpcStatusOf } from '../../problems/grpc-refusal.ts';
import { Problem, problemBody } from '../../problems/problem.ts';
import { faultPolicy } from './fault.policy.ts';
import { FaultStage, FaultStageFactory } from './fault.stage.ts';

const parse = (options: object) => faultPolicy.schema.parse(options);
const fails = (stage: FaultStage, exchange = createExchange()): boolean => {
  try {
    void stage.enter(exchange);
    return false;
  } catch {
    return true;
  }
};

it('befalls the share that it says', () => {
  const stage = new FaultStage(parse({ abort: { share: '10%' } }), randomFrom(7));
  const failed = Array.from({ length: 2000 }, () => fails(stage)).filter(Boolean).length / 2000;
  expect(Math.abs(failed - 0.1)).toBeLessThan(3.3 * Math.sqrt(0.09 / 2000));
});

it('is for whom it says', () => {
  const stage = new FaultStage(
    parse({ abort: {}, header: { name: 'X-Chaos', value: 'on' }, anyRole: ['tester'] }),
  );
  const tester = createPrincipal('t', { roles: ['tester'] });
  expect(fails(stage, createExchange({ headers: ['x-chaos', 'on'], principal: tester }))).toBe(true);
  expect(fails(stage, createExchange({ headers: ['x-chaos', 'off'], principal: tester }))).toBe(false);
  expect(fails(stage, createExchange({ headers: ['x-chaos', 'on'] }))).toBe(false);
  expect(fails(stage, createExchange({ principal: tester }))).toBe(false);
});

it.each([
  [{}, 503, 'UNAVAILABLE', '1'],
  [{ status: 429 }, 429, 'RESOURCE_EXHAUSTED', '1'],
  [{ status: 400 }, 400, 'INVALID_ARGUMENT', undefined],
  [{ status: 599 }, 599, 'UNKNOWN', undefined],
  [{ status: 500, grpcStatus: 'DATA_LOSS' }, 500, 'DATA_LOSS', undefined],
])('refuses with %j', (abort, status, grpcStatus, retryAfter) => {
  const stage = new FaultStage(parse({ abort }));
  let problem: Problem | undefined;
  try {
    void stage.enter(createExchange());
  } catch (error) {
    problem = error as Problem;
  }
  expect([problem?.status, problem && grpcStatusName(grpcStatusOf(problem))]).toEqual([status, grpcStatus]);
  expect(problem?.headers?.['retry-after']).toBe(retryAfter);
  expect(problem && problemBody(problem, 'x')['status']).toBe(status);
  expect(problem?.with({ more: 1 }).status).toBe(status);
});

it.each([{ status: 399 }, { status: 600 }, { grpcStatus: 'OK' }])('knows no refusal with %j', (abort) => {
  expect(faultPolicy.schema.safeParse({ abort }).success).toBe(false);
});

it('waits no longer than somebody waits for the answer', async () => {
  const exchange = createExchange();
  const waiting = new FaultStage(parse({ delay: { for: '1m' } })).enter(exchange);
  exchange.cancel(new Problem('deadline-exceeded'));
  await expect(waiting).rejects.toMatchObject({ code: 'deadline-exceeded' });
});

it.each([
  [{}, true],
  [{ FAULT_INJECTION: 'off' }, true],
  [{ FAULT_INJECTION: 'on' }, false],
])('with %j it does nothing: %p', (variables, isNothing) => {
  const factory = new FaultStageFactory(readEnvironment(variables), undefined);
  const policies = { fault: parse({ abort: {} }) };
  expect(factory.compile({ routeId: 'r', door: 'proxy', policies }) === undefined).toBe(isNothing);
});
