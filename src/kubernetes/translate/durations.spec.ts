import { describe, expect, it } from '@jest/globals';
import { durationMs, timesOf } from './durations.ts';

describe('durationMs', () => {
  it.each([
    ['1h2m3s4ms', 3_723_004],
    ['500ms', 500],
    ['0s', 0],
    ['90m', 5_400_000],
  ])('%s', (text, ms) => expect(durationMs(text, 'f')).toBe(ms));

  it.each(['', '1', 's', '1.5s', '-1s', '1s ', '1d', '123456s', undefined])(
    'refuses %j, with the field',
    (text) => {
      expect(() => durationMs(text, 'rules[0].timeouts.request')).toThrow(
        /rules\[0\]\.timeouts\.request: expected a duration/,
      );
    },
  );
});

describe('timesOf', () => {
  it('counts the first try, which is no retry', () => {
    expect(timesOf({}, { attempts: 2, codes: [503] }, 'f').retry).toEqual({
      attempts: 3,
      on: ['connect', 'reset', 503],
    });
    expect(timesOf({}, { codes: [503] }, 'f').retry).toMatchObject({ attempts: 2 });
  });

  it('tries once where only the time of a try is said', () => {
    expect(timesOf({ backendRequest: '2s' }, {}, 'f').retry).toEqual({ attempts: 1, perTry: '2000ms' });
  });

  it('knows 0s as no limit, and nothing said as nothing', () => {
    expect(timesOf({ request: '0s', backendRequest: '0s' }, {}, 'f')).toEqual({
      deadline: 'off',
      retry: { attempts: 1 },
    });
    expect(timesOf({}, {}, 'f')).toEqual({ deadline: undefined, retry: undefined });
  });

  it('refuses a backoff', () =>
    expect(() => timesOf({}, { backoff: '1s' }, 'rules[0]')).toThrow(/rules\[0\]\.retry\.backoff/));
});
