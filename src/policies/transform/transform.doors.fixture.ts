import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** A field is added to what is answered; a socket carries one to its service. */
export const row: PolicyRow = {
  options: {
    request: { setHeaders: { 'x-edited': 'request' } },
    response: { setHeaders: { 'x-edited': 'response' } },
  },
  // The heads of event streams and handshakes are not edited yet.
  gaps: ['graphqlEvents', 'graphqlReserved', 'graphqlSocket'],
  async acts(at) {
    const { fields } = await at.ask();
    if (at.name === 'translatedSocket') expect(at.heard()).toMatchObject({ 'x-edited': 'request' });
    else expect(fields).toMatchObject({ 'x-edited': 'response' });
  },
};
