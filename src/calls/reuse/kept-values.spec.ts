import { describe, expect, it } from '@jest/globals';
import { randomOf } from '../calls.fixture.ts';
import { KeptValues } from './kept-values.ts';

const MANY = { maxEntries: 1000, maxBytes: 2 ** 20, lifetimeMs: 100 };

describe(KeptValues.name, () => {
  it('keeps a value for its lifetime', () => {
    const values = new KeptValues<string>(MANY);
    values.set('a', 'x', 0);
    expect(values.get('a', 99)).toMatchObject({ value: 'x', storedAt: 0 });
    expect(values.get('a', 100)).toBeUndefined();
    expect([values.size, values.bytes]).toEqual([0, 0]);
  });

  it('lets go of what was used longest ago', () => {
    const values = new KeptValues<number>({ ...MANY, maxEntries: 2 });
    values.set('a', 1, 0);
    values.set('b', 2, 0);
    values.get('a', 0);
    values.set('c', 3, 0);
    expect([values.get('a', 0)?.value, values.get('b', 0), values.get('c', 0)?.value]).toEqual([
      1,
      undefined,
      3,
    ]);
  });

  it('sets nothing aside for values that may never come', () => {
    const values = new KeptValues<number>({ ...MANY, maxEntries: Number.MAX_SAFE_INTEGER });
    values.set('a', 1, 0);
    expect([values.get('a', 0)?.value, values.size]).toEqual([1, 1]);
  });

  it('does not keep what alone is too large, nor what it replaces', () => {
    const values = new KeptValues<string>({ ...MANY, maxBytes: 1000 });
    values.set('a', 'small', 0);
    values.set('a', 'x'.repeat(1000), 0);
    expect([values.get('a', 0), values.size, values.bytes]).toEqual([undefined, 0, 0]);
  });

  it('weighs the names of properties, which may be as long as values', () => {
    const values = new KeptValues<unknown>({ ...MANY, maxBytes: 1000 });
    values.set('a', [{ ['x'.repeat(1000)]: 1 }], 0);
    expect([values.get('a', 0), values.size, values.bytes]).toEqual([undefined, 0, 0]);
  });

  it('weighs nested values of any depth, and bytes', () => {
    const values = new KeptValues<unknown>({ ...MANY, maxBytes: 2 ** 30 });
    let deep: unknown = 'x';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    values.set('deep', deep, 0);
    values.set('bytes', new Uint8Array(5000), 0);
    expect(values.bytes).toBeGreaterThan(100_000 * 8 + 5000);
  });

  it('stays within its bounds whatever is kept, and its count comes out even', () => {
    const random = randomOf(3);
    let most: [entries: number, bytes: number] = [0, 0];
    const values = new KeptValues<string>({ maxEntries: 50, maxBytes: 20_000, lifetimeMs: 40 });
    for (let now = 0; now < 5000; now += 1) {
      const key = `k${Math.floor(random() * 200)}`;
      if (random() < 0.7) values.set(key, 'v'.repeat(Math.floor(random() * 1000)), now);
      else if (random() < 0.5) values.get(key, now);
      else values.delete(key);
      most = [Math.max(most[0], values.size), Math.max(most[1], values.bytes)];
    }
    expect(most[0]).toBeLessThanOrEqual(50);
    expect(most[1]).toBeLessThanOrEqual(20_000);
    for (let key = 0; key < 200; key += 1) values.delete(`k${key}`);
    expect([values.size, values.bytes]).toEqual([0, 0]);
  });
});
