import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** A body that says that it is larger is refused. */
export const row: PolicyRow = {
  options: '200B',
  async acts(at) {
    expect((await at.ask()).code).toBeUndefined();
    expect(await at.ask({ bodyBytes: 300 })).toMatchObject({ status: 413, code: 'body-too-large' });
  },
};
