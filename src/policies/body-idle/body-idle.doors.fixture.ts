import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** A body that is not sent on is not waited for. */
export const row: PolicyRow = {
  options: '100ms',
  async acts(at) {
    expect(await at.ask({ stalls: true })).toMatchObject({ status: 408, code: 'request-timeout' });
  },
};
