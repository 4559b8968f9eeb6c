import { describe, expect, it } from '@jest/globals';
import { LatestOnly } from './latest-only.ts';

describe(LatestOnly, () => {
  it('writes one answer at a time, and then the latest of those that became due', () => {
    const writing: (() => void)[] = [];
    const written: string[] = [];
    const answers = new LatestOnly<string>((answer, done) => {
      written.push(answer);
      writing.push(done);
    });
    for (const answer of ['first', 'second', 'third']) answers.offer(answer);
    expect(written).toEqual(['first']);
    writing.shift()?.();
    expect(written).toEqual(['first', 'third']);
    writing.shift()?.();
    expect(writing).toEqual([]);
    answers.offer('fourth');
    expect(written).toEqual(['first', 'third', 'fourth']);
  });

  it('goes on where writing is done at once', () => {
    const written: number[] = [];
    const answers = new LatestOnly<number>((answer, done) => {
      written.push(answer);
      done();
    });
    for (const answer of [1, 2, 3]) answers.offer(answer);
    expect(written).toEqual([1, 2, 3]);
  });
});
