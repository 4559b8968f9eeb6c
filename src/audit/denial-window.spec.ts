import { beforeEach, describe, expect, it } from '@jest/globals';
import { DenialWindow, type Suppressed } from './denial-window.ts';

let now: number;
let told: Suppressed[];
let window: DenialWindow;

beforeEach(() => {
  now = 0;
  told = [];
  window = new DenialWindow(
    { perAddress: 2, perSecond: 5 },
    (one) => told.push(one),
    () => now,
  );
});

const take = (address: string, times: number, reason = 'r'): number =>
  Array.from({ length: times }, () => window.takes(address, reason)).filter(Boolean).length;

describe('DenialWindow', () => {
  it('lets so many of one address and reason through in a second, and counts the others', () => {
    expect([take('a', 7), take('a', 3, 'other'), take('b', 1)]).toEqual([2, 2, 1]);
    now = 1000;
    expect(take('a', 1)).toBe(1);
    expect(told).toEqual([
      { address: 'a', reason: 'r', count: 5 },
      { address: 'a', reason: 'other', count: 1 },
    ]);
  });

  it('lets no more through of all addresses than there may be in a second', () => {
    expect(Array.from({ length: 20 }, (_, i) => take(`a${i}`, 1)).reduce((a, b) => a + b)).toBe(5);
    window.end();
    expect(told).toHaveLength(15);
  });

  it('tells of those with the most by name, and of all others in one', () => {
    for (let i = 0; i < 30; i += 1) take(`a${i}`, 10 + i);
    const all = 30 * 10 + (29 * 30) / 2 - 5;
    window.end();
    expect(told).toHaveLength(21);
    expect(told[0]).toEqual({ address: 'a29', reason: 'r', count: 39 });
    expect(told.at(-1)?.address).toBeUndefined();
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(all);
  });

  it('keeps a bounded number of addresses, and loses the count of none', () => {
    for (let i = 0; i < 10_050; i += 1) window.takes(`a${i}`, 'r');
    window.end();
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(10_045);
  });
});
