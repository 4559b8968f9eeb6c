import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** A header field that has to be a number. */
export const row: PolicyRow = {
  options: {
    headers: { type: 'object', required: ['x-number'], properties: { 'x-number': { type: 'integer' } } },
  },
  async acts(at) {
    expect((await at.ask({ fields: { 'x-number': '7' } })).status).toBe(200);
    for (const fields of [{ 'x-number': 'seven' }, undefined]) {
      const refusal = await at.ask(fields && { fields });
      expect(refusal).toMatchObject({ status: 400, code: 'request-invalid' });
      // A status of gRPC says no more than its code.
      if (at.name === 'passedGrpc') continue;
      expect(refusal.text).toContain('"in":"headers","pointer":"/x-number"');
    }
  },
};
