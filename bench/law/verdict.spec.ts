import { describe, expect, it } from '@jest/globals';
import type { Measured } from './measure.ts';
import { judgeLaw, renderLaw } from './verdict.ts';

const one = (replicas: number, more: Partial<Measured> = {}): Measured => ({
  limited: 'exact',
  replicas,
  requests: 1000,
  cpuUs: 100,
  sent: 1,
  operations: 3,
  idle: 8,
  ...more,
});

describe('the verdict about many replicas', () => {
  it.each<[string, Partial<Measured>, readonly number[]]>([
    ['all is as it should be', { cpuUs: 104, operations: 3.1, idle: 8.3 }, []],
    ['a request takes more CPU', { cpuUs: 106 }, [0]],
    ['a request makes more commands', { operations: 3.2 }, [1]],
    ['a replica says more though nobody asks', { idle: 8.5 }, [2]],
    ['it costs less', { cpuUs: 50, operations: 1, idle: 1 }, []],
  ])('is that %s', (_, more, broken) => {
    const kept = judgeLaw([one(1), one(2, { cpuUs: 1000 }), one(8, more)]);
    expect(kept.flatMap((promise, index) => (promise.kept ? [] : [index]))).toEqual(broken);
  });

  it('does not compare chances with nothing', () => {
    const rows = [
      one(1, { limited: 'none', operations: 0.0001 }),
      one(8, { limited: 'none', operations: 0.04 }),
    ];
    expect(judgeLaw(rows).every(({ kept }) => kept)).toBe(true);
  });

  it('has a row for each', () => {
    expect(renderLaw([one(1), one(8)]).split('\n')).toHaveLength(4);
  });
});
