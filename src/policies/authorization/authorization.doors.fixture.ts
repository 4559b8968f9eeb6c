import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** The client has the role, and a condition asks for more. */
export const row: PolicyRow = {
  options: {
    anyRole: ['user'],
    deny: { when: "request.headers['x-may'] == 'never'" },
    when: "principal.clientId == 'mobile-app' && request.headers['x-may'] == 'yes'",
  },
  async acts(at) {
    const refused = { code: 'permission-denied' };
    expect((await at.ask({ fields: { 'x-may': 'yes' } })).code).toBeUndefined();
    expect(await at.ask({ fields: { 'x-may': 'no' } })).toMatchObject(refused);
    expect(await at.ask({ fields: { 'x-may': 'never' } })).toMatchObject(refused);
    // What cannot be told is no.
    expect(await at.ask()).toMatchObject(refused);
  },
};
