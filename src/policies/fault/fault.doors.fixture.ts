import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Who carries the field is refused as if the service had failed, and nobody else. */
export const row: PolicyRow = {
  options: { delay: { for: '1ms' }, abort: {}, anyRole: ['user'] },
  environment: { FAULT_INJECTION: 'on' },
  async acts(at) {
    expect(await at.ask()).toMatchObject({ code: 'fault-injected' });
  },
};
