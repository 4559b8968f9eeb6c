import { describe, expect, it } from '@jest/globals';
import { eachInSlices, firstOf } from './slices.ts';

const byNumber = (one: number, other: number): number => one - other;

describe('firstOf', () => {
  it('is the beginning of the sorted list, whatever its length', async () => {
    const all = Array.from({ length: 2503 }, (_, index) => (index * 7919) % 2503);
    const sorted = all.toSorted(byNumber);
    for (const wanted of [0, 1, 10, 600, 2503, 5000])
      expect(await firstOf(all, byNumber, wanted, 100)).toEqual(sorted.slice(0, wanted));
  });

  it('gives others a turn after each slice', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const count = (): void => void (turns += 1);
    setImmediate(function again() {
      count();
      if (turns < 1000) setImmediate(again);
    });
    await firstOf(
      Array.from({ length: 10_000 }, (_, index) => -index),
      byNumber,
      100,
    );
    const seen = turns;
    turns = 1000;
    clearInterval(timer);
    expect(seen).toBeGreaterThanOrEqual(15);
  });
});

describe('eachInSlices', () => {
  it('comes to all of them once, in their order', async () => {
    const seen: number[] = [];
    const all = Array.from({ length: 1001 }, (_, index) => index);
    await eachInSlices(all, 100, (one) => void seen.push(one));
    expect(seen).toEqual(all);
  });
});
