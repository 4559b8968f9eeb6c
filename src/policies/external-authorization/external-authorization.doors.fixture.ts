import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Who is asked decides nothing, which is a refusal. */
export const row: PolicyRow = {
  options: { upstream: 'parts', opa: { path: '/v1/data/gateway/allow' } },
  async acts(at) {
    expect(await at.ask()).toMatchObject({ status: 403, code: 'permission-denied' });
  },
};
