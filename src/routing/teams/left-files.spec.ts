import { describe, expect, it } from '@jest/globals';
import { leaveOut, type IncludedFile, type LeftFiles } from './left-files.ts';

const file = (name: string, more: Partial<IncludedFile> = {}): IncludedFile => ({
  name,
  file: `/etc/${name}`,
  mayLeave: true,
  written: 'new',
  good: undefined,
  ...more,
});
const fault = (name: string) => ({ file: `/etc/${name}`, key: '', message: `${name} is wrong` });
const reads = (left: LeftFiles | undefined) =>
  left && Object.fromEntries([...left].map(([name, one]) => [name, one.reads]));

describe('leaveOut', () => {
  it('goes back to what a file said when it was good, and then does without it', () => {
    const files = [file('a', { good: 'old' }), file('b')];
    const first = leaveOut(files, new Map(), [fault('a')]) as LeftFiles;
    expect(reads(first)).toEqual({ a: 'last-good' });
    const second = leaveOut(files, first, [fault('a')]);
    expect(reads(second)).toEqual({ a: 'nothing' });
    expect(second?.get('a')?.faults).toEqual([fault('a')]);
    expect(leaveOut(files, second as LeftFiles, [fault('a')])).toBeUndefined();
  });

  it('leaves alone what says what it did before, where a fault is about another file that has changed', () => {
    const files = [file('a', { good: 'new' }), file('b', { good: 'old' })];
    expect(reads(leaveOut(files, new Map(), [fault('a'), fault('b')]))).toEqual({ b: 'last-good' });
    const claimed = { ...fault('a'), message: '/a is also claimed by /etc/b:7:3' };
    expect(reads(leaveOut(files, new Map(), [claimed]))).toEqual({ b: 'last-good' });
    expect(reads(leaveOut(files, new Map(), [fault('a')]))).toEqual({ a: 'nothing' });
  });

  it('leaves out all that are named where nobody was there before', () => {
    expect(reads(leaveOut([file('a'), file('b'), file('c')], new Map(), [fault('a'), fault('b')]))).toEqual({
      a: 'nothing',
      b: 'nothing',
    });
  });

  it.each([
    ['may not be left out', file('a', { mayLeave: false })],
    ['is another one', file('b')],
  ])('leaves nothing out for a fault in a file that %s', (_why, one) => {
    expect(leaveOut([one], new Map(), [fault('a')])).toBeUndefined();
  });
});
