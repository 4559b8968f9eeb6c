import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DOORS, type DoorName } from '../../src/policies/doors.ts';
import { authorizationPolicy } from '../../src/policies/authorization/authorization.policy.ts';
import { AuditFolder, type WrittenEvent } from '../support/audit.ts';
import { startPolicyDoors, type PolicyGateway } from '../support/policy-doors.ts';

const names = Object.keys(DOORS) as DoorName[];
const folder = new AuditFolder();
let gateway: PolicyGateway;
let events: readonly WrittenEvent[];

const agentOf = (door: DoorName, known: boolean): string => `${door}/${known ? 'known' : 'unknown'}`;

// All doors at once, and one look at what was written: an event too many would be there by then.
beforeAll(async () => {
  gateway = await startPolicyDoors(authorizationPolicy, {
    options: { anyRole: ['admin'] },
    beside: { authentication: { schemes: ['jwt', 'apiKey'] } },
    more: { audit: { file: folder.file, denials: { perAddress: 1000, perSecond: 1000 } } },
    acts: () => Promise.resolve(),
  });
  for (const name of names)
    for (const known of [true, false])
      await gateway.at(name).ask({ known, fields: { 'user-agent': agentOf(name, known) } });
  await folder.where(() => true, 2 * names.length);
  events = folder.events();
});
afterAll(async () => {
  await gateway.stop();
  folder.remove();
});

describe('whoever is denied something leaves exactly one event', () => {
  it.each(names)('at %s', (name) => {
    const told = [true, false].map((known) =>
      events
        .filter(({ source }) => source?.userAgent === agentOf(name, known))
        .map(({ kind, outcome, reason, actor, status }) => [kind, outcome, reason, actor, status]),
    );
    const client = { type: 'principal', id: 'client:apiKey::mobile-app', scheme: 'apiKey' };
    expect(told).toEqual([
      [['denial', 'denied', 'permission-denied', client, 403]],
      [['denial', 'denied', 'credentials-missing', { type: 'anonymous' }, 401]],
    ]);
  });

  it('with the names of its request', () => {
    const event = events.find(({ source }) => source?.userAgent === agentOf('proxied', true));
    expect(event).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      id: expect.stringMatching(/^[0-9a-f]{8}-\d+$/),
      kind: 'denial',
      action: 'request',
      outcome: 'denied',
      actor: { type: 'principal', id: 'client:apiKey::mobile-app', scheme: 'apiKey' },
      source: { address: '127.0.0.1', userAgent: 'proxied/known' },
      target: 'GET /proxied',
      route: 'proxied',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      status: 403,
      reason: 'permission-denied',
      policy: 'authorize',
      by: 'anyRole(admin)',
    });
  });

  it('and nobody else leaves one', () => {
    expect(events).toHaveLength(2 * names.length);
  });
});
