import { describe, expect, it } from '@jest/globals';
import { Breaker } from '../../policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../../policies/circuit-breaker/circuit-breaker.policy.ts';
import { busy, nameOf, switchedOf, targetOf } from '../balancing/balancing.fixture.ts';
import type { Target } from '../target.ts';
import { avoidedBeside } from './avoided-beside.ts';

const names = (targets: readonly Target[] | undefined): string | undefined => targets?.map(nameOf).join();

describe('avoidedBeside', () => {
  it('avoids the one that was asked', () => {
    const [a, b] = [targetOf('a'), targetOf('b')];
    expect([names(avoidedBeside([a, b], a)), names(avoidedBeside([b, a], b))]).toEqual(['a', 'b']);
  });

  it('finds nobody where there is no other, or none that can be called', () => {
    const [[a], [b, health]] = [switchedOf('a'), switchedOf('b')];
    health.available = false;
    expect([avoidedBeside([a], a), avoidedBeside([a, b], a)]).toEqual([undefined, undefined]);
  });

  it('avoids one whose breaker waits for a probe, and finds nobody if it is the only one', () => {
    const options = { ...circuitBreakerPolicy.schema.parse({}), consecutiveFailures: 1, openFor: 1 };
    const breaker = new Breaker(options);
    const [a, b, c] = [targetOf('a'), targetOf('b', {}, { breaker }), targetOf('c')];
    Object.defineProperty(breaker, 'state', { value: 'half-open' });
    expect(names(avoidedBeside([a, b, c], a))).toBe('a,b');
    expect(avoidedBeside([a, b], a)).toBeUndefined();
    breaker.shutdown();
  });

  it.each([
    [8, 'a'],
    [9, undefined],
  ])('with %i of 10 calls under way: %s', (calls, expected) => {
    const [a, b] = [targetOf('a', {}, { capacity: 5 }), targetOf('b', {}, { capacity: 5 })];
    busy(a, 5);
    busy(b, calls - 5);
    expect(names(avoidedBeside([a, b], a))).toBe(expected);
  });

  it('minds no calls under way where nothing is limited', () => {
    const [a, b] = [targetOf('a'), targetOf('b')];
    busy(a, 1000);
    busy(b, 1000);
    expect(names(avoidedBeside([a, b], a))).toBe('a');
  });
});
