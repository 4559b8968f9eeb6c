import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { HeadTimes } from './head-times.ts';
import { HedgePolicy } from './hedge-policy.ts';

const SLOT_MS = 30_000;

interface Sample {
  readonly ms: number;
  readonly at: number;
  readonly isAnswered: boolean;
}

/** The estimator of Kaplan and Meier, one sample after the other, over the slots that count. */
function reference(samples: readonly Sample[], now: number): number | undefined {
  const first = Math.floor(now / SLOT_MS) - 5;
  const counted = samples.filter(({ at }) => Math.floor(at / SLOT_MS) >= first);
  if (counted.length < 100) return undefined;
  // Of equal times those that were answered come first: the others lived at least as long.
  const ordered = [...counted].sort((a, b) => a.ms - b.ms || Number(b.isAnswered) - Number(a.isAnswered));
  let surviving = 1;
  for (const [index, { ms, isAnswered }] of ordered.entries()) {
    if (isAnswered) surviving *= 1 - 1 / (ordered.length - index);
    if (surviving <= 0.05 + 1e-9) return ms;
  }
  return Infinity;
}

function filled(count: number, ms: (index: number) => number): HeadTimes {
  const times = new HeadTimes();
  for (let i = 0; i < count; i += 1) times.answered(ms(i), 0);
  return times;
}

describe('HeadTimes', () => {
  it.each([
    [99, undefined],
    [100, expect.any(Number)],
  ])('after %i attempts tells %s', (count, told) => {
    expect(filled(count, () => 20).p95(0)).toEqual(told);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('tells what a plain model does, within a bucket (seed %i)', (seed) => {
    const random = randomFrom(seed);
    const [times, samples] = [new HeadTimes(), [] as Sample[]];
    const censored = random() * 0.5;
    let now = random() * 1e6;
    for (let step = 0; step < 600; step += 1) {
      now += random() * 1500;
      // Whole milliseconds in the middle of their bucket, so that both order them alike.
      const ms = 1.05 ** (Math.floor(random() * random() * 180) + 0.5);
      const isAnswered = random() >= censored;
      samples.push({ ms, at: now, isAnswered });
      if (isAnswered) times.answered(ms, now);
      else times.givenUp(ms, now);
      if (step % 20 !== 0) continue;
      // A result is kept for a second.
      now += 1000;
      const [told, wanted] = [times.p95(now), reference(samples, now)];
      if (wanted === undefined || wanted === Infinity) expect(told).toBe(wanted);
      else expect((told as number) / wanted).toBeCloseTo(1.05 ** 0.5, 6);
    }
  });

  it('does not take the rest for quick because the slow ones are given up', () => {
    const times = new HeadTimes();
    for (let i = 0; i < 1000; i += 1) {
      if (i % 10 === 0) times.givenUp(60, 0);
      else times.answered(50, 0);
    }
    // A tenth takes longer than 60ms: how long, nobody knows.
    expect(times.p95(0)).toBe(Infinity);
  });

  it.each([
    ['in the last slot that counts', 5, true],
    ['in the one before', 6, false],
  ])('of what happened %s, knows it: %s slots ago, %s', (_, slots, isKnown) => {
    const times = new HeadTimes();
    for (let i = 0; i < 100; i += 1) times.answered(20, 0);
    expect(times.p95(slots * SLOT_MS) !== undefined).toBe(isKnown);
  });

  it('counts what is shorter and longer than any bucket', () => {
    expect(filled(100, () => 0).p95(0)).toBeCloseTo(1.05);
    expect(filled(100, () => 1e9).p95(0)).toBeGreaterThan(200_000);
  });
});

describe('HedgePolicy', () => {
  const policyOf = (delay: 'p95' | number, firstByteMs: number, times: HeadTimes) =>
    new HedgePolicy({ delay }, firstByteMs, times);

  it.each([
    ['what was seen', 100, 5000, 103],
    ['at least 10ms', 1, 5000, 10],
    ['at most half of `firstByte`', 4000, 5000, 2500],
  ])('waits for %s', (_, ms, firstByteMs, delayMs) => {
    const delay = policyOf(
      'p95',
      firstByteMs,
      filled(200, () => ms),
    ).delayMs(0);
    expect(Math.round(delay as number)).toBe(delayMs);
  });

  it('waits for half of `firstByte` when nobody was ever waited for long enough', () => {
    const times = new HeadTimes();
    for (let i = 0; i < 100; i += 1) times.givenUp(30, 0);
    expect(policyOf('p95', 800, times).delayMs(0)).toBe(400);
  });

  it('does not hedge before it knows enough, but for a duration that was said', () => {
    expect(policyOf('p95', 800, new HeadTimes()).delayMs(0)).toBeUndefined();
    expect(policyOf(25, 800, new HeadTimes()).delayMs(0)).toBe(25);
  });
});
