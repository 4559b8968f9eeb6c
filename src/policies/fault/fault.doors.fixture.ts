import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** Where the head of the answer is not out, and can say a status of HTTP. */
const WITH_STATUS: readonly string[] = ['proxied', 'translated', 'aggregated', 'controller', 'view'];

/** Who has the role is refused as if the service had failed, with the status that is asked for. */
export const row: PolicyRow = {
  options: { delay: { for: '1ms' }, abort: { status: 418, grpcStatus: 'ABORTED' }, anyRole: ['user'] },
  environment: { FAULT_INJECTION: 'on' },
  async acts(at) {
    const outcome = await at.ask();
    expect(outcome).toMatchObject({ code: 'fault-injected' });
    if (WITH_STATUS.includes(at.name)) expect(outcome.status).toBe(418);
    if (at.name === 'passedGrpc') expect(outcome.fields['grpc-status']).toBe('10');
  },
};
