import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway, type TestGateway } from '../../test/support/gateway.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { placeOfRule } from './rule-place.ts';

const CONFIG = `
version: 1
floodLimit: { rate: 1000 }
identity: { apiKeys: [{ sha256: ${'a'.repeat(64)}, clientId: x }] }
defaults:
  policies:
    authentication: { schemes: [apiKey] }
    bodyLimit: 1MiB
upstreams:
  it:
    targets: ['http://127.0.0.1:1']
    policies:
      rateLimit: { key: ip, rate: 1, per: 1m }
routes:
  - { id: first, match: { path: /first }, upstream: it }
  - id: second
    match: { path: /second }
    upstream: it
    policies:
      authorization: { anyRole: [admin] }
      rateLimit: { key: ip, rate: 9, per: 1m }
`;

let gateway: TestGateway;
let snapshot: Snapshot;
beforeAll(async () => {
  gateway = await startGateway({ config: CONFIG });
  snapshot = gateway.gateway.app.get(Snapshots).current;
});
afterAll(() => gateway?.stop());

/** Where a policy stands in the file: the place of its value, line and column from 1. */
function placeOf(text: string): string {
  const at = CONFIG.indexOf(text);
  expect(at).toBeGreaterThan(0);
  const before = CONFIG.slice(0, at).split('\n');
  return `gateway.yaml:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

const placeAt = (code: ProblemCode, id: string | undefined, by?: string): string | undefined => {
  const route = id === undefined ? undefined : snapshot.table.routes.find((one) => one.id === id);
  return placeOfRule(new Problem(code, { by }), route, snapshot);
};

describe(placeOfRule, () => {
  it.each([
    ['of the route itself', 'rate-limited', 'second', 'rateLimit: { key: ip, rate: 9'],
    ['of its upstream', 'rate-limited', 'first', 'rateLimit: { key: ip, rate: 1,'],
    ['of the defaults', 'credentials-missing', 'first', 'authentication: { schemes'],
    ['of the route, beside one of the defaults', 'permission-denied', 'second', 'authorization:'],
  ] as const)('is that of the policy %s', (_what, code, id, text) => {
    expect(placeAt(code, id)).toBe(placeOf(text));
  });

  it('is that of the flood limit, whatever the route', () => {
    expect(placeAt('rate-limited', undefined, 'floodLimit')).toBe(placeOf('floodLimit:'));
  });

  it('is nowhere for what no rule has decided', () => {
    expect(placeAt('upstream-unreachable', 'first')).toBeUndefined();
    expect(placeAt('rate-limited', undefined)).toBeUndefined();
    expect(placeAt('concurrency-limited', 'first')).toBeUndefined();
  });
});
