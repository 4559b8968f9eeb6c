import { describe, expect, it } from '@jest/globals';
import { PeakEwma } from './peak-ewma.ts';

describe('PeakEwma', () => {
  it('has a target that nothing was seen of for ten seconds tried again, whatever it took', () => {
    const latency = new PeakEwma();
    latency.failed(0, 1000);
    expect(latency.costAt(1000)).toBe(1000);
    expect(latency.costAt(11_000)).toBeCloseTo(368, 0);
    expect(latency.costAt(11_001)).toBe(1);
    latency.answered(250, 11_001);
    expect(latency.costAt(11_001)).toBeGreaterThan(240);
  });
});
