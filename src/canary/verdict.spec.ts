import { describe, expect, it } from '@jest/globals';
import { judgeErrors, type ErrorCounts } from './verdict.ts';

const side = (attempts: number, failures = 0): ErrorCounts => ({ attempts, failures });
const TOLERANCE = { errors: 0.049, p95: 1.2 };
const CALM = side(100_000);

describe('judgeErrors', () => {
  // p0 = 0.1 %, p1 = 5 %: +3.91 for a failure and -0.0503 for a success, between -2.99 and +6.86.
  it.each<[ErrorCounts, string]>([
    [side(1, 1), 'open'],
    [side(2, 2), 'fail'],
    [side(59), 'open'],
    [side(60), 'pass'],
    [side(40, 2), 'open'],
    [side(0), 'open'],
  ])('%j is %s', (canary, is) => {
    expect(judgeErrors(canary, CALM, TOLERANCE).is).toBe(is);
  });

  it('forgives a canary what fails at the stable side as well', () => {
    expect(judgeErrors(side(100, 20), side(1000, 200), { errors: 0.01, p95: undefined }).is).not.toBe('fail');
    expect(judgeErrors(side(100, 90), side(1000, 200), { errors: 0.01, p95: undefined }).is).toBe('fail');
  });

  it('says how bad it is', () => {
    expect(judgeErrors(side(9, 4), side(1000, 1), TOLERANCE).reason).toBe(
      'errors: 4 of 9 attempts failed, of stable 1 of 1000',
    );
  });
});
