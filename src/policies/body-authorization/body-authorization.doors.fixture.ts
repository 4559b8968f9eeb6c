import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** What may be no longer than ten letters. */
export const row: PolicyRow = {
  options: { when: "size(body.stringValue) <= 10 && 'user' in principal.roles" },
  grpc: { webSocket: 'off' },
  async acts(at) {
    expect((await at.ask({ bodyBytes: 5 })).status).toBeLessThan(300);
    expect(await at.ask({ bodyBytes: 11 })).toMatchObject({ status: 403, code: 'permission-denied' });
    expect(await at.ask()).toMatchObject({ status: 403, code: 'permission-denied' });
  },
};
