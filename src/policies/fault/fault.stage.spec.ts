import { expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../../test/support/exchange.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { readEnvironment } from '../../config/env.schema.ts';
import { Problem } from '../../problems/problem.ts';
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
