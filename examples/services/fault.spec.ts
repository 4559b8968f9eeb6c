import { describe, expect, it } from '@jest/globals';
import { describeFault, FAULT_MODES, parseFault } from './fault.ts';

describe('parseFault', () => {
  it.each(FAULT_MODES)('reads what describeFault writes for %s', (mode) => {
    const document = mode === 'slow' ? { mode, delayMs: 800 } : { mode };
    expect(describeFault(parseFault(document))).toEqual(document);
  });

  it('lists the modes when the mode is unknown', () => {
    expect(() => parseFault({ mode: 'broken' })).toThrow(
      'mode: one of none, slow, fail, unavailable, garbage, dead is expected',
    );
  });

  it.each([undefined, '800', -1, Number.NaN, 600_001])('refuses %p as a delay', (delayMs) => {
    expect(() => parseFault({ mode: 'slow', delayMs })).toThrow('delayMs: a number of milliseconds');
  });

  it.each([null, 'slow', 7])('refuses %p, which is no object', (document) => {
    expect(() => parseFault(document)).toThrow('a JSON object is expected');
  });
});
