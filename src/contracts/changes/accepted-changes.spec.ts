import { expect, it } from '@jest/globals';
import { acceptedSince, acceptingEntry } from './accepted-changes.ts';

const OLD = '# Breaks\n- A_REMOVED: x. Because: y\n';

it('takes entries with a reason that are new', () => {
  const entries = `${OLD}- B_REMOVED: GET /a: is gone Because: nobody asks\n- C_REMOVED: z Because: \ntext\n`;
  expect([...acceptedSince(OLD, entries)]).toEqual(['B_REMOVED: GET /a: is gone']);
  expect([...acceptedSince('', OLD)]).toEqual(['A_REMOVED: x.']);
});

it('has an entry that says no reason for nobody', () => {
  const entry = acceptingEntry('A_REMOVED: x');
  expect([...acceptedSince('', entry)]).toEqual(['A_REMOVED: x']);
  expect([...acceptedSince('', entry.replace(/ <.*>/, ''))]).toEqual([]);
});
