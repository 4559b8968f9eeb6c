import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** As long as one is under way there is no place for another, and afterwards there is. */
export const row: PolicyRow = {
  options: { max: 1, queue: 0 },
  // What was asked of a silent service is never answered.
  upstream: { timeouts: { firstByte: '400ms' } },
  beside: { deadline: '400ms' },
  async acts(at) {
    at.silence(true);
    const held = at.ask();
    // Whichever comes first is let in; the other is told.
    const other = at.ask();
    const told = await Promise.race([held, other]);
    expect(told).toMatchObject({ code: 'concurrency-limited' });
    at.silence(false);
    const outcomes = await Promise.all([held, other]);
    expect(outcomes.filter(({ code }) => code !== 'concurrency-limited')).toHaveLength(1);
    // That a client has gone may take a moment to be heard.
    let left = await at.ask();
    for (let tries = 0; left.code !== undefined && tries < 100; tries += 1) left = await at.ask();
    expect(left.code).toBeUndefined();
  },
};
