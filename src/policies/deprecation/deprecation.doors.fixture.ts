import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Whatever is answered says that it goes. */
export const row: PolicyRow = {
  options: { since: '2026-06-01', sunset: '2100-01-01', successor: '/v3' },
  async acts(at) {
    const { fields } = await at.ask();
    expect(fields).toMatchObject({
      deprecation: '@1780272000',
      sunset: 'Fri, 01 Jan 2100 00:00:00 GMT',
      link: '</v3>; rel="successor-version"',
    });
  },
};
