import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** A field is added to whatever is answered, and a translated socket carries one to its service. */
export const row: PolicyRow = {
  options: {
    request: { setHeaders: { 'x-edited': 'request' } },
    response: { setHeaders: { 'x-edited': 'response' }, headersOn: 'all' },
  },
  async acts(at) {
    const { fields } = await at.ask();
    if (at.name === 'translatedSocket') expect(at.heard()).toMatchObject({ 'x-edited': 'request' });
    expect(fields).toMatchObject({ 'x-edited': 'response' });
  },
};
