import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** The bucket of a route is soon empty, whichever of its doors took from it. */
export const row: PolicyRow = {
  options: { key: 'global', rate: 2, per: '1d' },
  async acts(at) {
    await at.ask();
    await at.ask();
    expect(await at.ask()).toMatchObject({ code: 'rate-limited' });
  },
};
