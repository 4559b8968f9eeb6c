import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Nobody is let in from here, known or not. */
export const row: PolicyRow = {
  options: { allow: ['192.0.2.0/24', 'loopback'], deny: ['::ffff:127.0.0.0/104', '::1'] },
  async acts(at) {
    for (const known of [true, false])
      expect(await at.ask({ known })).toMatchObject({ status: 403, code: 'address-denied' });
  },
};
