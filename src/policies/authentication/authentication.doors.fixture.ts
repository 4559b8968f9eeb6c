import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Who does not say who calls is refused. */
export const row: PolicyRow = {
  options: { schemes: ['jwt', 'apiKey'] },
  async acts(at) {
    expect(await at.ask({ known: false })).toMatchObject({ code: 'credentials-missing' });
    expect((await at.ask()).code).toBeUndefined();
  },
};
