import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** The second answer is the first one. */
export const row: PolicyRow = {
  options: { ttl: '1m' },
  keepsParts: true,
  async acts(at) {
    await at.ask();
    expect((await at.ask()).fields).toMatchObject({ 'x-cache': 'HIT' });
  },
};
