import { describe, expect, it } from '@jest/globals';
import { atOnce, inTurns, isStep, mapInSteps, type Steps } from './steps.ts';

const NUMBERS = Array.from({ length: 100 }, (_, i) => i);
const EVEN = NUMBERS.filter((one) => one % 2 === 0);
const even = (one: number): readonly number[] => (one % 2 === 0 ? [one] : []);

describe('steps', () => {
  it('come to the same at once and in turns, between which others have theirs', async () => {
    expect(atOnce(mapInSteps(NUMBERS, even))).toEqual(EVEN);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const slowly = (one: number): readonly number[] => {
      if (isStep(one)) for (const until = performance.now() + 6; performance.now() < until;);
      return even(one);
    };
    expect(await inTurns(mapInSteps(NUMBERS, slowly))).toEqual(EVEN);
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(NUMBERS.filter(isStep).length - 1);
  });

  it('are each done within what they need', async () => {
    let isWithin = false;
    function* steps(): Steps<string> {
      for (let i = 0; i < 3; i += 1) {
        expect(isWithin).toBe(true);
        yield;
      }
      return 'done';
    }
    const within = <Done>(step: () => Done): Done => {
      isWithin = true;
      const done = step();
      isWithin = false;
      return done;
    };
    expect(await inTurns(steps(), within)).toBe('done');
  });

  it('tell what is thrown in one of them', async () => {
    function* steps(): Steps<never> {
      yield;
      throw new Error('no');
    }
    expect(() => atOnce(steps())).toThrow('no');
    await expect(inTurns(steps())).rejects.toThrow('no');
  });
});
