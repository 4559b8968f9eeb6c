import { describe, expect, it } from '@jest/globals';
import { runChecks, type Check } from './check.ts';

const check = (subject: string, run: Check['run']): Check => ({ name: 'thing', subject, mend: 'a key', run });

describe('runChecks', () => {
  it('runs no more at once than it is told, and answers in the order of the checks', async () => {
    let [running, most] = [0, 0];
    const checks = Array.from({ length: 9 }, (_, index) =>
      check(String(index), async () => {
        running += 1;
        most = Math.max(most, running);
        for (let turn = index; turn < 12; turn += 1) await new Promise(setImmediate);
        running -= 1;
        return { level: 'ok', what: 'there' };
      }),
    );
    const results = await runChecks(checks, { timeoutMs: 60_000, concurrency: 3 });
    expect(most).toBe(3);
    expect(results.map(({ subject }) => subject)).toEqual([...'012345678']);
  });

  it('waits for nobody longer than it is told, and ends the one that is late', async () => {
    let ended = false;
    const silent = check('silent', (signal) => {
      signal.addEventListener('abort', () => (ended = true));
      return new Promise(() => undefined);
    });
    const well = check('well', async () => ({ level: 'ok', what: 'there' }));
    expect(await runChecks([silent, well], { timeoutMs: 20, concurrency: 1 })).toEqual([
      { check: 'thing', subject: 'silent', level: 'fail', what: 'no answer within 0.02s', mend: 'a key' },
      { check: 'thing', subject: 'well', level: 'ok', what: 'there', mend: undefined },
    ]);
    expect(ended).toBe(true);
  });

  it('takes what is thrown as a failure, and looks at what a check leads to', async () => {
    const more = [check('child', () => Promise.reject(new Error('broken')))];
    const results = await runChecks([check('parent', async () => ({ level: 'warn', what: 'odd', more }))], {
      timeoutMs: 60_000,
      concurrency: 1,
    });
    expect(results.map(({ subject, level, what }) => [subject, level, what])).toEqual([
      ['parent', 'warn', 'odd'],
      ['child', 'fail', 'broken'],
    ]);
  });
});
