import { describe, expect, it } from '@jest/globals';
import type { Measured } from './measure.ts';
import type { Sharing } from './sharing.ts';
import { judgeLaw, renderLaw, renderSharing } from './verdict.ts';

const rounds = (cost: number, spread = 0): Measured['rounds'] =>
  Array.from({ length: 40 }, (_, at) => ({
    cost: cost * (1 + spread * (((at >> 1) % 5) - 2)),
    isSpoiled: false,
    requests: 25,
  }));

const one = (replicas: number, more: Partial<Measured> = {}): Measured => ({
  limited: 'exact',
  replicas,
  requests: 1000,
  rounds: rounds(100),
  sent: 1,
  touched: 3,
  idle: 8,
  ...more,
});

const sharing = (cost: number, more: Partial<Sharing> = {}): Sharing => ({
  limited: 'exact',
  replicas: 8,
  apart: rounds(100),
  shared: rounds(cost),
  alone: rounds(100),
  aloneToo: rounds(100),
  ...more,
});

describe('the verdict about many replicas', () => {
  it.each<[string, number, Partial<Measured>, readonly number[]]>([
    ['all is as it should be', 104, { touched: 3.1, idle: 8.3 }, []],
    ['a request takes more CPU', 106, {}, [0]],
    ['scripts do more for a request', 100, { touched: 3.2 }, [1]],
    ['a request makes more than one command', 100, { sent: 1.02 }, [2]],
    ['a replica says more though nobody asks', 100, { idle: 8.5 }, [3]],
    ['it costs less', 50, { sent: 0.5, touched: 1, idle: 1 }, []],
  ])('is that %s', (_, cost, more, broken) => {
    const judged = judgeLaw([one(1), one(2, { touched: 100 }), one(8, more)], [sharing(cost)]);
    expect(judged.flatMap(({ verdict }, index) => (verdict === 'broken' ? [index] : []))).toEqual(broken);
    expect(judged.filter(({ verdict }) => verdict === 'not decided')).toEqual([]);
  });

  it('does not mind how many takes travel together, and does mind how often leases are asked for', () => {
    const more = { sent: 0.5 };
    const judged = judgeLaw([one(1, { sent: 0.4 }), one(8, more)], []);
    expect(judged.map(({ verdict }) => verdict)).toEqual(Array(3).fill('kept'));
    const limited = 'leased';
    const rows = [one(1, { limited, sent: 0.4 }), one(8, { ...more, limited, touched: 1.6 })];
    expect(judgeLaw(rows, []).map(({ verdict }) => verdict)).toEqual(['kept', 'broken', 'kept']);
  });

  it('minds what the script of a lease does with keys for a call, not for a request', () => {
    const judged = (touched: number) =>
      judgeLaw(
        [
          one(1, { limited: 'leased', sent: 0.1, touched: 0.3 }),
          one(8, { limited: 'leased', sent: 0.1, touched }),
        ],
        [],
      );
    expect(judged(0.39)[0]?.verdict).toBe('kept');
    expect(judged(0.41)[0]?.verdict).toBe('broken');
  });

  it('is none where replicas that share nothing differ as much', () => {
    const [cpu] = judgeLaw([one(1), one(8)], [sharing(106, { aloneToo: rounds(107) })]);
    expect(cpu?.verdict).toBe('not decided');
    expect(cpu?.line).toContain('differences below 7.0 % cannot be seen');
  });

  it('is none where rounds are too far apart', () => {
    const [cpu] = judgeLaw([one(1), one(8)], [sharing(105, { shared: rounds(105, 0.1) })]);
    expect(cpu?.verdict).toBe('not decided');
  });

  it('does not mind who uses the machine, which slows both at the same time', () => {
    const slow = { apart: rounds(100, 0.2), shared: rounds(104, 0.2) };
    expect(judgeLaw([one(1), one(8)], [sharing(0, slow)])[0]?.verdict).toBe('kept');
  });

  it('is of each kind of limit by itself', () => {
    const rows = [one(1), one(8), one(1, { limited: 'none' }), one(8, { limited: 'none' })];
    const judged = judgeLaw(rows, [sharing(106), sharing(100, { limited: 'none' })]);
    expect(judged.filter(({ verdict }) => verdict === 'broken').map(({ line }) => line)).toEqual([
      expect.stringMatching(/^exact, 8 replicas against as many that share nothing: CPU/),
    ]);
  });

  it('does not compare chances with nothing', () => {
    const rows = [one(1, { limited: 'none', sent: 0.0001 }), one(8, { limited: 'none', sent: 0.04 })];
    expect(judgeLaw(rows, []).every(({ verdict }) => verdict === 'kept')).toBe(true);
  });

  it('says nothing of a single fleet', () => {
    expect(judgeLaw([one(1)], [])).toEqual([]);
  });

  it('has a row for each', () => {
    expect(renderLaw([one(1), one(4), one(8)]).split('\n')).toHaveLength(5);
    const line = renderSharing([sharing(104)]).split('\n')[2];
    expect(line?.split('|').map((cell) => cell.trim())).toEqual([
      '', 'exact', '8', '1000', '100.0', '104.0', '1.040 (1.040–1.040)', '1.000 (1.000–1.000)', '',
    ]); // prettier-ignore
  });
});
