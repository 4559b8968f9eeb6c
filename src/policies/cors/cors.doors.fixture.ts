import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

const ORIGIN = 'https://app.example.com';
const granted = { 'access-control-allow-origin': ORIGIN, 'access-control-allow-credentials': 'true' };

/** A page that is listed can read answers and refusals; one that is not gets no grant, and both answers vary. */
export const row: PolicyRow = {
  options: { origins: [ORIGIN], credentials: true },
  async acts(at) {
    const answer = await at.ask({ fields: { origin: ORIGIN } });
    expect(answer.fields).toMatchObject({ ...granted, vary: expect.stringMatching(/\bOrigin\b/) as unknown });
    const refusal = await at.ask({ fields: { origin: ORIGIN }, known: false });
    expect(refusal).toMatchObject({ status: 401, fields: granted });
    const other = await at.ask({ fields: { origin: 'https://evil.test' } });
    expect(other.fields).toMatchObject({ vary: expect.stringMatching(/\bOrigin\b/) as unknown });
    expect(Object.keys(other.fields).filter((name) => name.startsWith('access-control'))).toEqual([]);
    const preflight = await at.ask({ fields: { origin: ORIGIN }, isPreflight: true });
    expect(preflight).toMatchObject({ status: 204, text: '', fields: granted });
  },
};
