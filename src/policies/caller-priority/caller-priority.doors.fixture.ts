import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Under a threshold that any process is over, a caller that matters little is refused, and others are not. */
export const row: PolicyRow = {
  options: { rules: [{ when: "principal.clientId == 'mobile-app'", priority: 'low' }] },
  beside: { loadShedding: 'critical' },
  more: { loadShedding: { memory: { from: '0%', full: '0.001%' }, enterAfter: '0s' } },
  async acts(at) {
    expect(await at.ask()).toMatchObject({ code: 'load-shed' });
    expect((await at.ask({ known: false })).code).not.toBe('load-shed');
  },
};
