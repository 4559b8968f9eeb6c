import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

/** The second answer is the first one; of a stream of events none can be told again. */
export const row: PolicyRow = {
  options: {},
  grpc: { webSocket: 'off' },
  async acts(at) {
    const fields = { 'idempotency-key': randomUUID() };
    const first = await at.ask({ bodyBytes: 5, fields });
    expect(first.status).toBeLessThan(300);
    const second = await at.ask({ bodyBytes: 5, fields });
    if (at.name === 'graphqlEvents') expect(second.code).toBe('idempotency-not-replayable');
    else {
      expect(second).toMatchObject({ status: first.status, text: first.text });
      expect(second.fields['idempotent-replayed']).toBe('true');
    }
    expect(await at.ask({ bodyBytes: 6, fields })).toMatchObject({
      status: 422,
      code: 'idempotency-key-reused',
    });
    expect(await at.ask({ bodyBytes: 5, fields: { 'idempotency-key': '"' } })).toMatchObject({ status: 400 });
  },
};
