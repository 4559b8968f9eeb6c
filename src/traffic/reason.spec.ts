import { describe, expect, it } from '@jest/globals';
import { failureReason, refusalReason, slownessReason, type ReasonFacts } from './reason.ts';

function facts(exchange: object, given: Partial<ReasonFacts> = {}): ReasonFacts {
  const usual = { status: 200, attempts: [], startedAt: 0, ...exchange };
  return { exchange: usual as never, ms: 40, problem: undefined, rule: undefined, client: 'ann', ...given };
}

const tried = { target: '10.0.0.1:80', outcome: 'timeout', durationMs: 30.123 };
const entry = { stage: 'limit', title: 'Too many requests' };

describe('reasons of kept exchanges', () => {
  it('say who was refused by what, where that is said, and when to come back', () => {
    const problem = { entry, by: 'per-user', detail: 'Slow down.', headers: { 'retry-after': '7' } } as never;
    expect(refusalReason(facts({}, { problem, rule: 'gateway.yaml:12:5' }))).toBe(
      'ann was refused at limit by per-user (gateway.yaml:12:5): Too many requests. Slow down. It may be tried again in 7 s.',
    );
    expect(refusalReason(facts({ status: 403 }))).toBe('Answered 403 by a stage of the gateway.');
  });

  it('say which target has failed how, and after how many attempts', () => {
    const exchange = { upstream: 'users', attempts: [tried, tried], status: 503 };
    expect(failureReason(facts(exchange))).toBe('users (10.0.0.1:80) answered 503, the last of 2 attempts.');
    const problem = { entry: { stage: 'forward', title: 'Upstream timeout' } } as never;
    expect(failureReason(facts(exchange, { problem }))).toBe(
      'Upstream timeout: users (10.0.0.1:80) ended with timeout after 30.1 ms, the last of 2 attempts.',
    );
    expect(failureReason(facts({}, { problem }))).toBe('Failed at forward: Upstream timeout.');
  });

  it('say where time went, each number with its unit', () => {
    const parts = [
      { name: 'upstream', ms: 30 },
      { name: 'serialize', ms: 10 },
      { name: 'queue', ms: 0.01 },
      { name: 'total', ms: 40 },
    ];
    expect(slownessReason(facts({ timings: { parts: () => parts } }))).toBe(
      'Took 40 ms: upstream 30 ms, serialize 10 ms.',
    );
    expect(slownessReason(facts({ upstream: 'users', attempts: [tried] }))).toBe(
      'Took 40 ms, of which 30.1 ms at users (10.0.0.1:80).',
    );
    expect(slownessReason(facts({}))).toBe('Took 40 ms within the gateway.');
  });

  it('are bounded', () => {
    const problem = { entry, detail: 'x'.repeat(5000) } as never;
    expect(refusalReason(facts({}, { problem }))).toHaveLength(501);
  });
});
