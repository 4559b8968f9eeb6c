import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Under a threshold that any process is over, requests of a low class are refused, whoever calls. */
export const row: PolicyRow = {
  options: 'low',
  more: { loadShedding: { memory: { from: '0%', full: '0.001%' }, enterAfter: '0s' } },
  async acts(at) {
    const refused = await at.ask({ known: false });
    expect(refused).toMatchObject({ code: 'load-shed' });
  },
};
