import { describe, expect, it } from '@jest/globals';
import { MemoryTokenBucket } from '../token-bucket.memory.ts';
import { LocalShare } from './local-share.ts';

const HOUR_MS = 3_600_000;

/** How many requests pass at so many replicas that count alone, each asked until it refuses. */
function passes(replicas: number, burst: number, cost = 1): number {
  let passed = 0;
  for (let replica = 0; replica < replicas; replica += 1) {
    const share = new LocalShare(new MemoryTokenBucket(), { count: replicas });
    while (share.take('k', { rate: burst, perMs: HOUR_MS, burst }, cost).allowed) passed += 1;
  }
  return passed;
}

describe('LocalShare', () => {
  it.each([
    { replicas: 1, burst: 100, together: 100 },
    { replicas: 4, burst: 100, together: 100 },
    { replicas: 3, burst: 100, together: 99 },
    { replicas: 4, burst: 4, together: 4 },
    // Nobody is locked out.
    { replicas: 4, burst: 3, together: 4 },
    { replicas: 4, burst: 1, together: 4 },
  ])('lets $together pass of $burst among $replicas', ({ replicas, burst, together }) => {
    expect(passes(replicas, burst)).toBe(together);
  });

  it('has room for a request that is dearer than a part', () => {
    expect(passes(4, 8, 5)).toBe(4);
    expect(passes(4, 8, 9)).toBe(0);
  });

  it('fills up as much more slowly', () => {
    let now = 0;
    const share = new LocalShare(new MemoryTokenBucket({ now: () => now }), { count: 4 });
    const rule = { rate: 40, perMs: 1000, burst: 40 };
    let passed = 0;
    for (; now < 10_000; now += 5) if (share.take('k', rule, 1).allowed) passed += 1;
    expect(passed).toBeGreaterThanOrEqual(10 + 99);
    expect(passed).toBeLessThanOrEqual(10 + 100);
  });

  it('follows the number of replicas', () => {
    const replicas = { count: 1 };
    const share = new LocalShare(new MemoryTokenBucket(), replicas);
    const rule = { rate: 100, perMs: HOUR_MS, burst: 100 };
    expect(share.take('k', rule, 1)).toMatchObject({ limit: 100, remaining: 99 });
    replicas.count = 10;
    expect(share.peek('k', rule, 1)).toMatchObject({ limit: 10, remaining: 10 });
    expect(share.take('k', rule, 1)).toMatchObject({ limit: 10, remaining: 9 });
    share.refund('k', rule, 1);
    expect(share.peek('k', rule, 1).remaining).toBe(10);
  });
});
