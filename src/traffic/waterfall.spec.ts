import { describe, expect, it } from '@jest/globals';
import type { SpanNote } from '../telemetry/span-log.ts';
import { MOST_BARS, waterfallOf } from './waterfall.ts';

function note(given: Partial<SpanNote>): SpanNote {
  const usual = {
    sort: 'call',
    name: 'users.get',
    startedAt: 100,
    endedAt: 110,
    outcome: 'ok',
    isFault: false,
  };
  return { ...usual, parent: undefined, ...given } as SpanNote;
}

describe(waterfallOf, () => {
  it('makes bars of notes, with the place of the one that each belongs to', () => {
    const outer = note({ name: 'home', sort: 'section' });
    const inner = note({
      parent: outer,
      startedAt: 102.126,
      endedAt: 105,
      isFault: true,
      outcome: 'timeout',
    });
    expect(waterfallOf([outer, inner], 100, 120)).toEqual([
      {
        name: 'home',
        sort: 'section',
        parent: null,
        startMs: 0,
        durationMs: 10,
        outcome: 'ok',
        failed: false,
      },
      {
        name: 'users.get',
        sort: 'call',
        parent: 0,
        startMs: 2.13,
        durationMs: 2.87,
        outcome: 'timeout',
        failed: true,
      },
    ]);
  });

  it('ends what has not ended with the exchange, and says so', () => {
    expect(waterfallOf([note({ endedAt: 0 })], 100, 130)[0]).toMatchObject({
      durationMs: 30,
      outcome: 'unfinished',
    });
  });

  it('says of an attempt which target, and never begins before the exchange', () => {
    const attempt = note({
      sort: 'attempt',
      name: 'users',
      facts: { target: '10.0.0.1:80' },
      startedAt: 90,
    } as never);
    expect(waterfallOf([attempt], 100, 130)[0]).toMatchObject({ name: 'users 10.0.0.1:80', startMs: 0 });
  });

  it('shows a bounded number of bars with bounded names; who belongs to one that is not shown stands alone', () => {
    const many = Array.from({ length: MOST_BARS + 50 }, () => note({ name: 'x'.repeat(500) }));
    const orphan = note({ parent: many.at(-1) });
    const bars = waterfallOf([orphan, ...many], 100, 130);
    expect([bars.length, bars[0]?.parent, bars[1]?.name.length]).toEqual([MOST_BARS, null, 120]);
  });
});
