import { expect, it } from '@jest/globals';
import { renderReplayed } from './render-replayed.ts';
import type { Replayed } from './replay.ts';

const NOTHING: Replayed = {
  compared: 2,
  changed: 0,
  changes: [],
  unlisted: 0,
  unreadable: 0,
  noise: [],
  unsampled: [],
  identityChanged: false,
};
const example = { request: 'GET /a', line: 2 };

it('says in a line that nothing changes', () => {
  expect(renderReplayed(NOTHING)).toBe('2 requests compared, 0 would be treated otherwise\n');
});

it('shows changes by kind, and what they are from and to where the cause does not say it', () => {
  const found: Replayed = {
    ...NOTHING,
    changed: 2,
    changes: [
      { kind: 'decision', route: 'a', what: 'forward → 403', from: 'forward', to: '403', count: 2, example },
      { kind: 'request', route: 'a', what: 'header x', from: '(none)', to: '1', count: 1, example },
    ],
  };
  expect(renderReplayed(found).split('\n')).toEqual([
    '2 requests compared, 2 would be treated otherwise',
    '',
    'Another decision',
    '  2 × a  forward → 403',
    '      such as GET /a (line 2)',
    '',
    'Another request to the upstream',
    '  1 × a  header x: (none) → 1',
    '      such as GET /a (line 2)',
    '',
    '',
  ]);
});

it('says what was not compared, and what is not in the sample', () => {
  const unsampled = Array.from({ length: 12 }, (_, index) => `r${index}`);
  const more = { unlisted: 3, identityChanged: true, noise: ['header id'], unsampled, unreadable: 1, firstUnreadable: 'line 4: no JSON' };
  expect(renderReplayed({ ...NOTHING, ...more }).split('\n').slice(1, -1)).toEqual([
    '3 more changes, of too many kinds to list',
    'identity has changed: callers are those that were found out when the sample was recorded',
    'not compared, because it differs by itself: header id',
    'without a request in the sample: r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, and 2 more',
    '1 line cannot be replayed; line 4: no JSON',
  ]);
}); // prettier-ignore
