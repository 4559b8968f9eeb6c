import { describe, expect, it } from '@jest/globals';
import { MemoryTokenBucket } from './token-bucket.memory.ts';

describe('MemoryTokenBucket', () => {
  const rule = { rate: 1, perMs: 1000, burst: 10 };

  function limiterOf(maxBuckets: number): { limiter: MemoryTokenBucket; pass: (ms: number) => void } {
    let now = 0;
    return { limiter: new MemoryTokenBucket({ now: () => now, maxBuckets }), pass: (ms) => void (now += ms) };
  }

  it('answers synchronously', () => {
    expect(limiterOf(10).limiter.take('a', rule, 1)).toEqual({
      allowed: true,
      limit: 10,
      remaining: 9,
      resetMs: 1000,
      retryAfterMs: 0,
    });
  });

  it('admits rate x time + burst of twice the rate, exactly', () => {
    const { limiter, pass } = limiterOf(10);
    let admitted = 0;
    for (let ms = 0; ms <= 60_000; ms += 50) {
      if (limiter.take('a', { rate: 10, perMs: 1000, burst: 5 }, 1).allowed) admitted += 1;
      pass(50);
    }
    expect(admitted).toBe(605);
  });

  it('mints nothing and starves nobody when the clock goes back', () => {
    const { limiter, pass } = limiterOf(10);
    pass(1e6);
    for (let taken = 0; taken < 10; taken += 1) limiter.take('a', rule, 1);
    pass(-5e5);
    expect(limiter.take('a', rule, 1)).toMatchObject({ allowed: false, retryAfterMs: 1000 });
    pass(1000);
    expect(limiter.take('a', rule, 1)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('never keeps more buckets than it may', () => {
    const { limiter } = limiterOf(100);
    for (let key = 0; key < 5000; key += 1) limiter.take(String(key), rule, 1);
    expect(limiter.size).toBe(100);
  });

  it('drops full buckets first', () => {
    const { limiter, pass } = limiterOf(3);
    limiter.take('empty', rule, 10);
    limiter.take('half', rule, 5);
    pass(1000);
    limiter.take('nearly full', rule, 1);
    pass(1000);
    limiter.take('new', rule, 1);
    expect(limiter.size).toBe(3);
    expect(limiter.peek('empty', rule, 1)).toMatchObject({ remaining: 2 });
    expect(limiter.peek('half', rule, 1)).toMatchObject({ remaining: 7 });
  });

  it('drops the fullest when none is full', () => {
    const { limiter } = limiterOf(3);
    limiter.take('half', rule, 5);
    limiter.take('nearly full', rule, 1);
    limiter.take('empty', rule, 10);
    limiter.take('new', rule, 1);
    expect(limiter.peek('half', rule, 1)).toMatchObject({ remaining: 5 });
    expect(limiter.peek('empty', rule, 1)).toMatchObject({ remaining: 0 });
    expect(limiter.peek('nearly full', rule, 1)).toMatchObject({ remaining: 10 });
  });

  it('forgets callers who are gone as others come', () => {
    const { limiter, pass } = limiterOf(100_000);
    for (let key = 0; key < 1000; key += 1) limiter.take(`early ${String(key)}`, rule, 1);
    pass(1000);
    for (let key = 0; key < 1000; key += 1) limiter.take(`late ${String(key)}`, rule, 1);
    expect(limiter.size).toBeLessThan(1100);
  });
});
