import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Whoever asks for it gets a compressed answer, and whoever does not gets it as it is; caches are told. */
export const row: PolicyRow = {
  options: { minSize: '1B', codings: ['br', 'gzip'] },
  async acts(at) {
    const { fields } = await at.ask({ fields: { 'accept-encoding': 'gzip, br;q=0.1' } });
    expect(fields).toMatchObject({ 'content-encoding': 'gzip' });
    expect(fields['vary']).toMatch(/Accept-Encoding/);
    expect(fields['content-length']).toBeUndefined();
    const plain = await at.ask();
    expect(plain.fields['content-encoding']).toBeUndefined();
    expect(plain.fields['vary']).toMatch(/Accept-Encoding/);
  },
};
