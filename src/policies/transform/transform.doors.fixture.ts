import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

const response = { setHeaders: { 'x-edited': 'response of {route.id}' }, headersOn: 'all' };

/** A field is added to whatever is answered, and a translated socket carries one to its service. */
export const row: PolicyRow = {
  options: {
    request: { setHeaders: { 'x-edited': 'request at {client.address}' }, addHeaders: { 'x-added': 'yes' } },
    response,
  },
  optionsAt: { aggregated: { response } },
  async acts(at) {
    const { fields } = await at.ask();
    if (at.name === 'translatedSocket')
      expect(at.heard()).toMatchObject({ 'x-edited': 'request at 127.0.0.1', 'x-added': 'yes' });
    expect(fields).toMatchObject({ 'x-edited': expect.stringMatching(/^response of \w/) });
  },
};
