import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomFrom } from '../../../test/support/random.ts';
import { Lease } from '../lease.ts';
import { busy, choices, countsOf, targetOf } from './balancing.fixture.ts';
import { Ewma } from './ewma.ts';
import { DECAY_MS, PeakEwma } from './peak-ewma.ts';

describe('PeakEwma', () => {
  it('takes who was never called for one that takes 30 ms', () => {
    expect(new PeakEwma().costAt(0)).toBe(30);
  });

  it('follows a rise at once, and forgets it slowly', () => {
    const latency = new PeakEwma();
    latency.answered(10, 0);
    expect(latency.costAt(0)).toBe(10);
    latency.answered(100, 1000);
    expect(latency.costAt(1000)).toBe(100);
    latency.answered(10, 1000 + DECAY_MS);
    expect(latency.costAt(1000 + DECAY_MS)).toBeCloseTo(10 + 90 * Math.exp(-1), 9);
  });

  it.each([1, 3])('is back at what is true as the formula says, after %i times the decay', (times) => {
    const latency = new PeakEwma();
    latency.answered(100, 0);
    const random = randomFrom(6);
    // However many answers there were between: what is left of the peak depends on the time only.
    for (let at = 0; at < times * DECAY_MS; at += random() * 500) latency.answered(10, at);
    latency.answered(10, times * DECAY_MS);
    expect(latency.costAt(times * DECAY_MS)).toBeCloseTo(10 + 90 * Math.exp(-times), 9);
  });

  it('fades while nobody is called, so that who was slow is tried again, and never to nothing', () => {
    const latency = new PeakEwma();
    latency.answered(500, 0);
    expect(latency.costAt(DECAY_MS)).toBeCloseTo(500 / Math.E, 9);
    expect(latency.costAt(100 * DECAY_MS)).toBe(1);
  });

  it('takes no quick fault for a quick answer', () => {
    const latency = new PeakEwma();
    latency.failed(1, 0);
    expect(latency.costAt(0)).toBe(1000);
    latency.failed(5000, 0);
    expect(latency.costAt(0)).toBe(5000);
  });

  it('learns of a call that was given up only that it would have taken longer', () => {
    const latency = new PeakEwma();
    latency.answered(50, 0);
    latency.abandoned(20, 0);
    expect(latency.costAt(0)).toBe(50);
    latency.abandoned(80, 0);
    expect(latency.costAt(0)).toBe(80);
  });
});

describe('Ewma', () => {
  beforeEach(() => void jest.useFakeTimers());

  afterEach(() => void jest.useRealTimers());

  const timed = (name: string, weight = 1) => {
    const target = targetOf(name, { weight });
    target.latency = new PeakEwma();
    return target;
  };

  it('takes who answers sooner, until that has as much more to do', () => {
    const [fast, slow] = [timed('f'), timed('s')];
    fast.latency?.answered(10, performance.now());
    slow.latency?.answered(50, performance.now());
    expect(choices(new Ewma(), [slow, fast], 3).join('')).toBe('fff');
    busy(fast, 5);
    expect(choices(new Ewma(), [slow, fast], 3).join('')).toBe('sss');
  });

  it('calls those that nothing is known of by their weights', () => {
    expect(countsOf(choices(new Ewma(), [timed('h', 3), timed('l')], 400))).toEqual({ h: 300, l: 100 });
  });

  it('hears from leases how long calls take, and what became of them', () => {
    const target = timed('t');
    const costAfter = (act: (lease: Lease) => void, ms: number): number | undefined => {
      const lease = new Lease(target);
      jest.advanceTimersByTime(ms);
      act(lease);
      return target.latency?.costAt(performance.now());
    };
    expect(costAfter((lease) => lease.release('success'), 40)).toBe(40);
    expect(costAfter((lease) => lease.release('neutral'), 70)).toBe(70);
    // The head of an answer counts, and not how long it streams.
    const streams = new Lease(target);
    jest.advanceTimersByTime(90);
    streams.settle('success');
    jest.advanceTimersByTime(60_000);
    streams.release('success');
    expect(target.latency?.costAt(performance.now() - 60_000)).toBe(90);
    expect(costAfter((lease) => lease.release('failure'), 1)).toBe(1000);
  });
});
