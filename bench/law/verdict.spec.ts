import { describe, expect, it } from '@jest/globals';
import type { Measured } from './measure.ts';
import { judgeLaw, renderLaw } from './verdict.ts';

const rounds = (cost: number, spread = 0): Measured['rounds'] =>
  Array.from({ length: 40 }, (_, at) => ({
    cost: cost * (1 + spread * (((at >> 1) % 5) - 2)),
    isSpoiled: false,
    requests: 25,
  }));

const one = (replicas: number, more: Partial<Measured> = {}): Measured => ({
  limited: 'exact',
  replicas,
  kind: 'shared',
  requests: 1000,
  rounds: rounds(100),
  sent: 1,
  touched: 3,
  idle: 8,
  ...more,
});

describe('the verdict about many replicas', () => {
  it.each<[string, Partial<Measured>, readonly number[]]>([
    ['all is as it should be', { rounds: rounds(104), touched: 3.1, idle: 8.3 }, []],
    ['a request takes more CPU', { rounds: rounds(106) }, [0]],
    ['scripts do more for a request', { touched: 3.2 }, [1]],
    ['a request makes more than one command', { sent: 1.02 }, [2]],
    ['a replica says more though nobody asks', { idle: 8.5 }, [3]],
    ['it costs less', { rounds: rounds(50), sent: 0.5, touched: 1, idle: 1 }, []],
  ])('is that %s', (_, more, broken) => {
    const judged = judgeLaw([
      one(1),
      one(2, { rounds: rounds(1000) }),
      one(8, more),
      one(1, { kind: 'again' }),
    ]);
    expect(judged.flatMap(({ verdict }, index) => (verdict === 'broken' ? [index] : []))).toEqual(broken);
    expect(judged.filter(({ verdict }) => verdict === 'not decided')).toEqual([]);
  });

  it('does not mind how many takes travel together, and does mind how often leases are asked for', () => {
    const more = { sent: 0.5 };
    const judged = judgeLaw([one(1, { sent: 0.4 }), one(8, more)]);
    expect(judged.map(({ verdict }) => verdict)).toEqual(Array(4).fill('kept'));
    const limited = 'leased';
    const leased = judgeLaw([one(1, { limited, sent: 0.4 }), one(8, { ...more, limited, touched: 1.6 })]);
    expect(leased.map(({ verdict }) => verdict)).toEqual(['kept', 'kept', 'broken', 'kept']);
  });

  it('minds what the script of a lease does with keys for a call, not for a request', () => {
    const rows = (touched: number) => [
      one(1, { limited: 'leased', sent: 0.1, touched: 0.3 }),
      one(8, { limited: 'leased', sent: 0.1, touched }),
    ];
    expect(judgeLaw(rows(0.39))[1]?.verdict).toBe('kept');
    expect(judgeLaw(rows(0.41))[1]?.verdict).toBe('broken');
  });

  it('is none where a fleet differs as much from another such one', () => {
    const again = one(1, { kind: 'again', rounds: rounds(107) });
    const [cpu] = judgeLaw([one(1), one(8, { rounds: rounds(106) }), again]);
    expect(cpu?.verdict).toBe('not decided');
    expect(cpu?.line).toContain('differences below 7.0 % cannot be seen');
  });

  it('does not mind what as many cost that share nothing', () => {
    const rows = (cost: number) => [
      one(1),
      one(8, { rounds: rounds(120) }),
      one(8, { kind: 'apart', rounds: rounds(cost) }),
    ];
    expect(judgeLaw(rows(118))[0]?.verdict).toBe('kept');
    expect(judgeLaw(rows(110))[0]?.verdict).toBe('broken');
  });

  it('is none where rounds are too far apart', () => {
    const [cpu] = judgeLaw([one(1), one(8, { rounds: rounds(105, 0.1) })]);
    expect(cpu?.verdict).toBe('not decided');
  });

  it('does not compare chances with nothing', () => {
    const rows = [one(1, { limited: 'none', sent: 0.0001 }), one(8, { limited: 'none', sent: 0.04 })];
    expect(judgeLaw(rows).every(({ verdict }) => verdict === 'kept')).toBe(true);
  });

  it('says nothing of a single fleet', () => {
    expect(judgeLaw([one(1), one(1, { kind: 'again' })])).toEqual([]);
  });

  it('has a row for each', () => {
    expect(renderLaw([one(1), one(8), one(1, { kind: 'again' })]).split('\n')).toHaveLength(5);
  });
});
