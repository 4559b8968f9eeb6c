import { describe, expect, it } from '@jest/globals';
import { Lease } from '../lease.ts';
import { Target } from '../target.ts';
import { upstreamSchema } from '../upstream.schema.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { adaptiveSchema } from './adaptive-limit.schema.ts';

const bounds = { initial: 20, min: 4, max: 200, tolerance: 1.5 };

/** Has as many calls end as a window needs, all at the limit. */
function window(
  limit: AdaptiveLimit,
  at: number,
  ms: number,
  outcome: 'success' | 'failure' = 'success',
): void {
  const calls = limit.value;
  for (let i = 0; i < calls; i += 1) limit.began();
  for (let i = 0; i < calls; i += 1) limit.ended(outcome, ms, at);
  for (let i = calls; i < 10; i += 1) {
    limit.began();
    limit.ended(outcome, ms, at);
  }
}

/** Windows of a second each, from a time on. */
function windows(limit: AdaptiveLimit, count: number, ms: number, from: number): number {
  for (let i = 0; i < count; i += 1) window(limit, from + i * 1000, ms);
  return from + count * 1000;
}

describe('AdaptiveLimit', () => {
  it('grows while answers are as fast as usual, up to its maximum', () => {
    const limit = new AdaptiveLimit({ ...bounds, max: 30 });
    const at = windows(limit, 5, 10, 1000);
    expect(limit.value).toBeGreaterThan(20);
    windows(limit, 100, 10, at);
    expect(limit.value).toBeLessThanOrEqual(30);
  });

  it('shrinks when answers take longer, down to its minimum and not below', () => {
    const limit = new AdaptiveLimit({ ...bounds, min: 18 });
    const at = windows(limit, 9, 10, 1000);
    expect(limit.value).toBeGreaterThan(20);
    const seen: number[] = [];
    for (let i = 0; i < 24; i += 1) {
      window(limit, at + i * 1000, 400);
      seen.push(limit.value);
    }
    // But for the window in which it measures.
    expect(new Set(seen.slice(-12))).toEqual(new Set([18, 7]));
    expect(new AdaptiveLimit({ ...bounds, initial: 4 }).value).toBe(4);
  });

  it('leaves alone what is not used', () => {
    const limit = new AdaptiveLimit(bounds);
    for (let i = 0; i < 500; i += 1) {
      limit.began();
      limit.ended('success', 10 + i, i * 100);
    }
    expect(limit.value).toBe(20);
  });

  it('takes a timeout for the time that it took, and a quick failure for nothing', () => {
    const slow = new AdaptiveLimit(bounds);
    const quick = new AdaptiveLimit(bounds);
    const at = windows(slow, 3, 10, 1000);
    windows(quick, 3, 10, 1000);
    const before = slow.value;
    for (const later of [0, 1000]) {
      window(slow, at + later, 5000, 'failure');
      window(quick, at + later, 1, 'failure');
    }
    expect(slow.value).toBeLessThan(before);
    expect([quick.value, quick.usualMs, quick.waiting]).toEqual([before, 10, 0]);
  });

  it('measures what is usual with half as many calls after ten windows at the limit, and goes on', () => {
    const limit = new AdaptiveLimit(bounds);
    const at = windows(limit, 11, 10, 1000);
    const probing = limit.value;
    expect(probing).toBeLessThan(14);
    // Of those that began before, it hears nothing.
    for (let i = 0; i < 20; i += 1) limit.began();
    for (let i = 0; i < 20; i += 1) limit.ended('success', 10_000, at);
    expect([limit.value, limit.usualMs]).toEqual([probing, 10]);
    for (let i = 0; i < 10; i += 1) limit.began();
    for (let i = 0; i < 10; i += 1) limit.ended('success', 4, at + 50);
    expect(limit.usualMs).toBe(4);
    expect(limit.value).toBeGreaterThan(20);
  });
});

describe('adaptiveConcurrency', () => {
  it('is off, on with its bounds, or as it is said', () => {
    expect(adaptiveSchema.parse(undefined)).toBe('off');
    expect(adaptiveSchema.parse('on')).toEqual(bounds);
    expect(adaptiveSchema.parse({ max: 50 })).toEqual({ ...bounds, max: 50 });
    expect(adaptiveSchema.safeParse({ min: 3 }).success).toBe(false);
    expect(adaptiveSchema.safeParse({ min: 30 }).error?.issues[0]?.message).toBe('expected `min` to `max`');
    expect(adaptiveSchema.safeParse({ min: 300 }).error?.issues[0]?.message).toBe('expected at most `max`');
    expect(upstreamSchema.parse({ targets: ['http://a:80'] }).adaptiveConcurrency).toBe('off');
  });
});

describe('a lease of a target with an adaptive limit', () => {
  const targetOf = (): Target => {
    const adaptive = new AdaptiveLimit({ ...bounds, initial: 4 });
    return new Target({ url: 'http://a:80', weight: 1, labels: {}, priority: 0 }, { adaptive });
  };

  it('counts until the first byte, whatever comes after it', () => {
    const target = targetOf();
    const leases = [1, 2, 3, 4].map(() => new Lease(target));
    expect([target.isFull, target.adaptive?.waiting]).toEqual([true, 4]);
    leases[0]?.opened();
    expect([target.isFull, target.adaptive?.waiting, target.inFlight]).toEqual([false, 3, 4]);
    for (const lease of leases) lease.release('neutral');
    expect([target.adaptive?.waiting, target.inFlight]).toEqual([0, 0]);
  });

  it('is not counted while it streams in, nor for what comes over a socket; and tells who waits', () => {
    const target = targetOf();
    let told = 0;
    target.calls.await(() => (told += 1));
    const lease = new Lease(target);
    lease.streams();
    expect([target.adaptive?.waiting, told]).toEqual([0, 1]);
    lease.awaits();
    lease.awaits();
    expect(target.adaptive?.waiting).toBe(1);
    lease.settle('failure');
    lease.awaits();
    lease.release('failure');
    expect([target.adaptive?.waiting, target.inFlight]).toEqual([0, 0]);
  });
});
