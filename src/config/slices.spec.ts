import { expect, it } from '@jest/globals';
import { Slices } from './slices.ts';

it('lets others have their turn every few milliseconds, and works a fifth of the time where their turns are long', async () => {
  let now = 0;
  const slices = new Slices(() => now);
  /** How long it works until others have a turn, which is one of so many ms. */
  const workedBefore = async (turnMs: number): Promise<number> => {
    let hadTurn = false;
    setImmediate(() => {
      hadTurn = true;
      now += turnMs;
    });
    for (let worked = 0; ; worked += 1) {
      await slices.pause();
      if (hadTurn) return worked;
      now += 1;
    }
  };
  expect([
    await workedBefore(0),
    await workedBefore(100),
    await workedBefore(100),
    await workedBefore(0),
  ]).toEqual([5, 5, 25, 25]);
  expect(await workedBefore(10_000)).toBe(5);
  expect(await workedBefore(0)).toBe(50);
});
