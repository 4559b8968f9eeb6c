import { expect } from '@jest/globals';
import { GRAPHQL_HTTP } from '../doors.ts';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

const HANDLERS = ['controller', 'view', 'viewStream', ...GRAPHQL_HTTP, 'graphqlSocket'] as const;
const response = { setHeaders: { 'x-edited': 'response of {route.id}' }, headersOn: 'all' };

/** A field is added to whatever is answered, and a translated socket carries one to its service. */
export const row: PolicyRow = {
  options: {
    request: { setHeaders: { 'x-edited': 'request at {client.address}' }, addHeaders: { 'x-added': 'yes' } },
    response,
  },
  // No service is sent the request of these.
  optionsAt: Object.fromEntries([...HANDLERS, 'aggregated'].map((name) => [name, { response }])),
  async acts(at) {
    const { fields } = await at.ask();
    if (at.name === 'translatedSocket')
      expect(at.heard()).toMatchObject({ 'x-edited': 'request at 127.0.0.1', 'x-added': 'yes' });
    expect(fields).toMatchObject({ 'x-edited': expect.stringMatching(/^response of \w/) });
  },
};
