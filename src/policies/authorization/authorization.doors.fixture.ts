import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Who lacks the role is refused. */
export const row: PolicyRow = {
  options: { anyRole: ['nobody'] },
  async acts(at) {
    expect(await at.ask()).toMatchObject({ code: 'permission-denied' });
  },
};
