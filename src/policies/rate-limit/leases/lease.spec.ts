import { describe, expect, it } from '@jest/globals';
import { horizonMs, Lease, LEASE_TTL_MS } from './lease.ts';

const RULE = { rate: 1e6, perMs: 1000, burst: 1e6 };

/** What a lease would like to reserve after a request for each ms of a tenth of a second. */
function wanted(replicas: number): number {
  const lease = new Lease(RULE, 0, undefined, { count: replicas });
  return lease.ask(1, 100, true, 100).want;
}

describe('a reserve', () => {
  it.each([
    [1, 100],
    [100, 100],
    [250, 250],
    [400, 400],
    [10_000, 400],
  ])('of one of %i replicas is for %i ms', (replicas, ms) => {
    expect(horizonMs(replicas)).toBe(ms);
    expect(wanted(replicas)).toBe(ms);
  });

  it.each([
    [1, 200],
    [250, 500],
    [10_000, 800],
  ])('of one of %i replicas is given back after %i ms, before it lapses', (replicas, ms) => {
    const lease = new Lease(RULE, 0, undefined, { count: replicas });
    const call = lease.ask(1, 1, true, 0);
    lease.told(call, { passed: 1, block: 10, left: 100, retryMs: 0, kept: 0 }, 0);
    expect(lease.isIdle(ms - 1)).toBe(false);
    expect(lease.isIdle(ms)).toBe(true);
    expect(ms).toBeLessThan(LEASE_TTL_MS);
  });

  it('follows the number of replicas', () => {
    const replicas = { count: 1 };
    const lease = new Lease(RULE, 0, undefined, replicas);
    replicas.count = 300;
    expect(lease.ask(1, 100, true, 100).want).toBe(300);
  });
});
