import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** The second answer is the first one. */
export const row: PolicyRow = {
  options: { ttl: '1m' },
  // A view is `private` for who is known, and for an application, which may stand for many users, nothing is kept then.
  beside: { authentication: { schemes: ['jwt', 'apiKey'], optional: true } },
  keepsParts: true,
  async acts(at) {
    await at.ask({ known: false });
    expect((await at.ask({ known: false })).fields).toMatchObject({ 'x-cache': 'HIT' });
  },
};
