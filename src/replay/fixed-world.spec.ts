import { describe, expect, it } from '@jest/globals';
import { inFixedWorld } from './fixed-world.ts';

const AT = Date.parse('2026-01-02T03:04:05.000Z');

describe('a world that is fixed', () => {
  it('has one time, and keeps dates that are given', async () => {
    const seen = await inFixedWorld(AT, async () => [
      Date.now(),
      new Date().toISOString(),
      new Date(0).getTime(),
    ]);
    expect(seen).toEqual([AT, '2026-01-02T03:04:05.000Z', 0]);
  });

  it('has chance that always falls alike, from 0 to below 1', async () => {
    const draw = () => inFixedWorld(AT, async () => Array.from({ length: 1000 }, () => Math.random()));
    const drawn = await draw();
    expect(await draw()).toEqual(drawn);
    expect(new Set(drawn).size).toBeGreaterThan(990);
    expect(drawn.every((one) => one >= 0 && one < 1)).toBe(true);
  });

  it('is over afterwards, also when what ran has failed', async () => {
    const before = [Date, Math.random];
    await expect(inFixedWorld(AT, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect([Date, Math.random]).toEqual(before);
    expect(Date.now()).not.toBe(AT);
  });
});
