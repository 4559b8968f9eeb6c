import { describe, expect, it } from '@jest/globals';
import { SlotRing, Sums } from './slot-ring.ts';

function sumsOf(errors: number): Sums {
  const sums = new Sums();
  Object.assign(sums, { errors, refused: 2, sumMs: errors * 1.5, maxMs: errors, extra: 3 });
  sums.counts[errors % sums.counts.length] = errors;
  return sums;
}

function readFrom(ring: SlotRing, record: number): readonly unknown[] {
  const sums = new Sums();
  ring.addTo(record, sums);
  return [ring.idOf(record), ring.stepOf(record), sums];
}

describe('SlotRing', () => {
  // More than a block, and a last block that is not whole.
  it.each([3, 1024, 2500])(
    'gives back what was pushed, and the oldest makes room: %i records',
    (capacity) => {
      const ring = new SlotRing(capacity);
      const pushed = capacity * 2 + 1;
      for (let i = 0; i < pushed; i += 1) ring.push(i, i * 10, sumsOf(i));
      expect([ring.first, ring.end, ring.isFull]).toEqual([pushed - capacity, pushed, true]);
      for (const record of [ring.first, ring.first + 1, ring.end - 1])
        expect(readFrom(ring, record)).toEqual([record, record * 10, sumsOf(record)]);
    },
  );

  it('is not full before its last record, and has nothing of those that were not pushed', () => {
    const ring = new SlotRing(2048);
    for (let i = 0; i < 2047; i += 1) ring.push(i, i, sumsOf(i));
    expect([ring.first, ring.isFull, readFrom(ring, 2046)]).toEqual([0, false, [2046, 2046, sumsOf(2046)]]);
    expect(readFrom(new SlotRing(2048), 1500)).toEqual([0, 0, new Sums()]);
  });

  it('takes away what it has added', () => {
    const ring = new SlotRing(4);
    ring.push(1, 1, sumsOf(7));
    const sums = sumsOf(9);
    ring.addTo(0, sums);
    expect([sums.errors, sums.maxMs]).toEqual([16, 9]);
    ring.addTo(0, sums, -1);
    expect(sums).toEqual(sumsOf(9));
  });

  it('keeps to what 32 bits can say', () => {
    const ring = new SlotRing(1);
    ring.push(1, 1, Object.assign(new Sums(), { sumMs: 1e12 }));
    const sums = new Sums();
    ring.addTo(0, sums);
    expect(sums.sumMs).toBe((2 ** 32 - 1) / 16);
  });
});
