import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** What takes too long is not waited for. */
export const row: PolicyRow = {
  options: '100ms',
  async acts(at) {
    at.silence(true);
    expect(await at.ask()).toMatchObject({ code: 'deadline-exceeded' });
    at.silence(false);
  },
};
