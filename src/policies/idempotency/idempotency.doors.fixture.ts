import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { PolicyDoor, PolicyRow } from '../../../test/support/policy-doors.ts';

/** A body that is not held but looked at while it passes. */
async function repeatsLarge(at: PolicyDoor): Promise<void> {
  const asking = { bodyBytes: 300_000, fields: { 'idempotency-key': randomUUID() } };
  const first = await at.ask(asking);
  expect(first.status).toBe(200);
  expect(await at.ask(asking)).toMatchObject({ status: 200, text: first.text });
  expect(await at.ask({ ...asking, bodyBytes: 300_001 })).toMatchObject({ code: 'idempotency-key-reused' });
}

/** The second answer is the first one; of a stream of events none can be told again. */
export const row: PolicyRow = {
  options: { maxAnswer: '1MiB' },
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
    if (at.name === 'proxied' || at.name === 'translated') await repeatsLarge(at);
    expect(await at.ask({ bodyBytes: 5, fields: { 'idempotency-key': '"' } })).toMatchObject({ status: 400 });
  },
};
