import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** A field is added to whatever is answered, and what is only for HTTPS to nothing that came without it. */
export const row: PolicyRow = {
  options: { frameOptions: 'SAMEORIGIN' },
  async acts(at) {
    const { fields } = await at.ask();
    expect(fields).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' });
    expect(fields).not.toHaveProperty('strict-transport-security');
  },
};
