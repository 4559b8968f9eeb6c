import { describe, expect, it } from '@jest/globals';
import type { ViewRun } from './view-run.ts';
import { noteParent, parentOfFields, parentOfSections } from './view-parents.ts';

describe('what conditions see as the parent', () => {
  it('is the input of a view for its sections, and nothing of what runs it', () => {
    const run = { input: { user: 'ada' }, exchange: 'secret' };
    expect(parentOfSections(run)).toEqual({ input: { user: 'ada' } });
  });

  it('is the object itself, but for the values of a view', () => {
    const values = { title: 't' };
    expect(parentOfFields(values)).toBe(values);
    noteParent(values, { input: 1 } as ViewRun);
    expect(parentOfFields(values)).toEqual({ input: 1 });
    expect(parentOfFields({ ...values })).toEqual(values);
  });
});
