import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Every head has the field. */
export const row: PolicyRow = {
  options: {},
  async acts(at) {
    expect((await at.ask()).fields).toMatchObject({ 'x-response-time': expect.stringMatching(/^\d+\.\d$/) });
  },
};
