import { describe, expect, it } from '@jest/globals';
import { QuotaCalendar } from './quota-calendar.ts';
import type { QuotaCount, QuotaTerms } from './quota-count.ts';
import { RefusalNotes } from './refusal-notes.ts';

const START = Date.parse('2026-01-01T12:00:00Z') / 1000;
const calendar = new QuotaCalendar('hour', 'UTC');
const terms = (more: Partial<QuotaTerms> = {}): QuotaTerms => ({
  name: 'h', mode: 'hard', limit: 10, cost: 1, carryOver: 0, warnAt: 0.8, calendar, ...more,
}); // prettier-ignore
const count = (more: Partial<QuotaCount> = {}): QuotaCount => ({
  fits: false, used: 10, carried: 0, start: START, end: START + 3600, news: 2, ...more,
}); // prettier-ignore

function noted({ at = START + 60, heard = terms(), counts = [count()], keys = ['{a}:h'] } = {}) {
  let now = at * 1000;
  const notes = new RefusalNotes(() => now);
  notes.hear(keys, [heard], { nowMs: now, counts });
  return {
    notes,
    pass: (ms: number) => (now += ms),
    ask: (more: Partial<QuotaTerms> = {}) => notes.repeated(keys, [terms(more)]),
  };
}

describe('what was refused a moment ago', () => {
  it('is refused again for a second, tells of nothing anew, and knows how late it is', () => {
    const { ask, pass } = noted();
    pass(400);
    expect(ask()).toEqual({ nowMs: (START + 60) * 1000 + 400, counts: [count({ news: 0 })], isNoted: true });
    pass(599);
    expect(ask()).toBeDefined();
    pass(1);
    expect(ask()).toBeUndefined();
  });

  it('is not known of where the clock was set back, nor beyond its window', () => {
    const back = noted();
    back.pass(-1);
    expect(back.ask()).toBeUndefined();
    const late = noted({ at: START + 3599.8 });
    late.pass(150);
    expect(late.ask()).toBeDefined();
    late.pass(50);
    expect(late.ask()).toBeUndefined();
  });

  it.each([
    ['that costs less', { cost: 1 }, { cost: 5 }, count({ used: 8 })],
    ['under a larger limit', { limit: 11 }, {}, count()],
    ['that only looks', { mode: 'look' }, {}, count()],
    ['that is soft', { mode: 'soft' }, {}, count()],
    ['that gives back', { mode: 'back' }, {}, count()],
    ['that resets', { mode: 'reset' }, {}, count()],
  ] as const)('does not refuse a request %s', (_what, asked, heard, counted) => {
    const { ask } = noted({ heard: terms(heard), counts: [counted] });
    expect(ask(asked)).toBeUndefined();
  });

  it('still refuses where units are carried over that are used up', () => {
    const { ask } = noted({ counts: [count({ used: 12, carried: 2 })] });
    expect(ask()).toBeDefined();
    expect(ask({ limit: 11 })).toBeUndefined();
  });

  it('is only known of for the same quotas', () => {
    const { notes } = noted();
    expect(notes.repeated(['{a}:h', '{a}:d'], [terms(), terms()])).toBeUndefined();
    expect(notes.repeated(['{b}:h'], [terms()])).toBeUndefined();
    notes.forget(['{a}:h']);
    expect(notes.repeated(['{a}:h'], [terms()])).toBeUndefined();
  });

  it('is asked for again where another quota of the request would say something else', () => {
    const keys = ['{a}:h', '{a}:d'];
    const notes = new RefusalNotes(() => START * 1000);
    const counts = [count(), count({ fits: true, used: 7 })];
    notes.hear(keys, [terms(), terms({ mode: 'soft' })], { nowMs: START * 1000, counts });
    expect(notes.repeated(keys, [terms(), terms({ mode: 'soft' })])).toBeDefined();
    expect(notes.repeated(keys, [terms(), terms({ mode: 'soft', cost: 4 })])).toBeUndefined();
  });

  it('is kept of refusals only, and of no more than there may be', () => {
    const notes = new RefusalNotes(() => START * 1000, 100);
    const hear = (key: string, fits: boolean) =>
      notes.hear([key], [terms()], { nowMs: START * 1000, counts: [count({ fits })] });
    hear('passes', true);
    expect(notes.size).toBe(0);
    for (let i = 0; i < 1000; i += 1) hear(`${i}`, false);
    expect(notes.size).toBe(100);
    expect(notes.repeated(['999'], [terms()])).toBeDefined();
    expect(notes.repeated(['0'], [terms()])).toBeUndefined();
  });
});
