import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** The quota of a route is soon used up, whichever of its doors took from it. */
export const row: PolicyRow = {
  options: { key: 'principal', limit: 2, window: 'month', withoutRedis: 'memory' },
  async acts(at) {
    await at.ask();
    await at.ask();
    expect(await at.ask()).toMatchObject({ code: 'quota-exceeded' });
  },
};
