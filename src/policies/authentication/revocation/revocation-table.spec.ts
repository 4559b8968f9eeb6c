import { describe, expect, it } from '@jest/globals';
import { digestOf } from './revocation-marks.ts';
import { RevocationSet } from './revocation-set.ts';
import { RevocationTable } from './revocation-table.ts';

const CLOCK = { now: 100, oldest: 0 };
const BYTES_PER_SLOT = 21;
const token = (name: unknown) => digestOf('jti', '', String(name));

function filled(entries: number): RevocationTable {
  const table = new RevocationTable(RevocationTable.slotsFor(entries));
  for (let i = 0; i < entries; i += 1) table.put(token(i), 200 + i, i, CLOCK);
  return table;
}

describe('a table of revocations', () => {
  it('finds each that was put in, with its time and its stamp, and nothing else', () => {
    const table = filled(20_000);
    const found = Array.from({ length: 60_000 }, (_, i) => i).filter((i) => {
      const slot = table.slotOf(token(i));
      return slot >= 0 && table.timeAt(slot) === 200 + i && table.stampAt(slot) === i;
    });
    expect(found).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  });

  it('finds none of those that share a bit of the filter, or a slot, with one that is there', () => {
    const { a, b, c } = token('x');
    const table = new RevocationTable(1024);
    table.put({ a, b, c }, 200, 0, CLOCK);
    for (const other of [
      { a: a + 1, b, c },
      { a, b: b ^ 1, c },
      { a, b, c: c ^ (2 ** 20) },
      { a: a ^ 1024, b, c },
    ])
      expect(table.slotOf(other)).toBe(-1);
    expect(table.slotOf({ a, b, c })).toBe(a & 1023);
  });

  it('takes 21 bytes a slot', () => {
    const table = new RevocationTable(4096);
    expect(table.bytes).toBe(4096 * BYTES_PER_SLOT);
  });

  it('is full when its filter is worn out by those who had a slot after another', () => {
    const table = new RevocationTable(1024);
    for (let i = 0; !table.isFull; i += 1) {
      if (i > 2048) throw new Error('it never is');
      // Each is over when the next one comes.
      table.put(token(i), 50, 0, CLOCK);
    }
    expect(table.taken).toBeLessThan(1024 * 0.75);
  });
});

describe('a set whose revocations come and go', () => {
  it('knows those that hold, in memory that does not grow', () => {
    let now = Date.UTC(2026, 0);
    const set = new RevocationSet({ max: 2000, longest: 1000 }, () => now);
    const at = (ms: number): number => (now + ms - Date.UTC(2020, 0)) / 1000;
    for (let turn = 0; turn < 60; turn += 1) {
      const digests = Array.from({ length: 1000 }, (_, i) => token(`${turn} ${i}`));
      expect(digests.every((digest) => set.add(digest, at(1000)))).toBe(true);
      expect(digests.every((digest) => set.holds(digest))).toBe(true);
      expect(set.holds(token(`${turn - 1} 0`))).toBe(false);
      now += 1000;
    }
    expect(set.bytes).toBeLessThanOrEqual(2 * 4096 * BYTES_PER_SLOT);
  });
});
