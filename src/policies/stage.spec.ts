import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { enterStages, type Stage } from './stage.ts';

describe('enterStages', () => {
  const walk: string[] = [];
  const passing = (mark: string): Stage => ({ enter: () => void walk.push(mark) });
  const waiting = (mark: string): Stage => ({
    enter: async () => {
      await Promise.resolve();
      walk.push(mark);
    },
  });
  const entered = (stages: readonly Stage[], exchange = createExchange()) => {
    walk.length = 0;
    return enterStages(stages, exchange);
  };

  it('enters stages in order and stays synchronous', () => {
    expect(entered([passing('a'), {}, passing('b')])).toBeUndefined();
    expect(walk).toEqual(['a', 'b']);
  });

  it('waits for a stage before it enters the next', async () => {
    const pending = entered([passing('a'), waiting('b'), passing('c'), waiting('d'), passing('e')]);
    expect(walk).toEqual(['a']);
    await pending;
    expect(walk).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each([
    ['synchronously', []],
    ['after waiting', [waiting('w')]],
  ])('stops at the first problem, thrown %s', async (_, before) => {
    const refuse: Stage = {
      enter: () => {
        throw new Problem('body-too-large');
      },
    };
    const run = async () => entered([...before, refuse, passing('never')]);
    await expect(run()).rejects.toMatchObject({ code: 'body-too-large' });
    expect(walk).not.toContain('never');
  });

  it('rejects with the problem of a stage that waits', async () => {
    const refuse: Stage = { enter: () => Promise.reject(new Problem('rate-limited')) };
    await expect(entered([refuse, passing('never')])).rejects.toMatchObject({ code: 'rate-limited' });
    expect(walk).toEqual([]);
  });

  it('ends the walk at a stored answer', () => {
    const exchange = createExchange();
    const answer: Stage = {
      enter: () => ({ status: 200, headers: [], body: Buffer.alloc(0) }),
    };
    void entered([passing('a'), answer, passing('never')], exchange);
    expect(walk).toEqual(['a']);
  });
});
