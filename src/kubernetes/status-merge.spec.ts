import { describe, expect, it } from '@jest/globals';
import { resourceOf, type Json, type Resource } from './resource.ts';
import { mergedStatus } from './status-merge.ts';

const NOW = new Date('2026-11-28T12:00:00.123Z');
const US = 'gatehouse.dev/gateway';
const THEIRS = { parentRef: { name: 'mesh' }, controllerName: 'mesh.example/c', conditions: [] };
const said = (status: string, more: object = {}): Json => ({
  type: 'Accepted',
  status,
  reason: 'R',
  message: 'm',
  ...more,
});
const object = (kind: string, status: object, generation = 2): Resource =>
  resourceOf(kind, { metadata: { name: 'a', namespace: 'b', generation }, status });
const routeStatus = (condition: Json): Json => ({
  parents: [{ parentRef: { name: 'edge' }, controllerName: US, conditions: [condition] }],
});
const dated = (status: string, at: string, observedGeneration = 2): Json =>
  said(status, { observedGeneration, lastTransitionTime: at });

describe('mergedStatus', () => {
  it('says what it should, with generation and time, and leaves alone what others say', () => {
    const of = object('HTTPRoute', { parents: [THEIRS] });
    expect(mergedStatus({ kind: 'HTTPRoute', of, status: routeStatus(said('True')) }, US, NOW)).toEqual({
      parents: [THEIRS, ...(routeStatus(dated('True', '2026-11-28T12:00:00Z'))['parents'] as Json[])],
    });
  });

  it('is nothing where it says so already', () => {
    const of = object('HTTPRoute', routeStatus(dated('True', '2020-01-01T00:00:00Z')));
    expect(
      mergedStatus({ kind: 'HTTPRoute', of, status: routeStatus(said('True')) }, US, NOW),
    ).toBeUndefined();
  });

  it('keeps the time of a condition that is what it was, and of no other', () => {
    const at = (status: string): unknown => {
      const of = object('HTTPRoute', routeStatus(dated('True', '2020-01-01T00:00:00Z', 1)));
      const merged = mergedStatus({ kind: 'HTTPRoute', of, status: routeStatus(said(status)) }, US, NOW);
      return (merged as { parents: { conditions: Json[] }[] }).parents[0]?.conditions[0]?.[
        'lastTransitionTime'
      ];
    };
    expect([at('True'), at('False')]).toEqual(['2020-01-01T00:00:00Z', '2026-11-28T12:00:00Z']);
  });

  it('takes away what was said by us of what is not ours any more', () => {
    const ours = routeStatus(said('True'))['parents'] as Json[];
    const of = object('HTTPRoute', { parents: [THEIRS, ...ours] });
    expect(mergedStatus({ kind: 'HTTPRoute', of, status: { parents: [] } }, US, NOW)).toEqual({
      parents: [THEIRS],
    });
  });

  it('keeps conditions of other types, but for those that the definition has set', () => {
    const pending = { type: 'Programmed', status: 'Unknown', reason: 'Pending' };
    const theirs = { type: 'Audited', status: 'True', reason: 'X' };
    const of = object('GatewayClass', { conditions: [theirs, pending] });
    const merged = mergedStatus(
      { kind: 'GatewayClass', of, status: { conditions: [said('True')] } },
      US,
      NOW,
    );
    expect(merged).toMatchObject({ conditions: [{ type: 'Audited' }, { type: 'Accepted' }] });
  });
});
