import { expect, it } from '@jest/globals';
import type { Entry } from './entry.ts';
import { findingOf } from './head-update.ts';

const DATE = 'Mon, 23 Nov 2026 12:00:00 GMT';
const STORED = ['etag', '"a"', 'last-modified', DATE, 'content-length', '3'];
const entry = { answer: { status: 200, headers: STORED, body: Buffer.from('abc') } } as unknown as Entry;

it.each<[string, number, readonly string[], string]>([
  ['the same', 200, STORED, 'updates'],
  ['the same tag alone', 200, ['ETag', '"a"'], 'updates'],
  ['the same tag, weak', 200, ['etag', 'W/"a"'], 'updates'],
  ['another tag', 200, ['etag', '"b"', 'content-length', '3'], 'ends'],
  ['another date', 200, ['last-modified', 'Tue, 24 Nov 2026 12:00:00 GMT'], 'ends'],
  ['another length', 200, ['etag', '"a"', 'content-length', '4'], 'ends'],
  ['its length alone', 200, ['content-length', '3'], 'says-nothing'],
  ['nothing', 200, [], 'says-nothing'],
  ['a fault', 503, ['content-length', '4'], 'says-nothing'],
])('an answer to HEAD with %s', (_, status, headers, finding) => {
  expect(findingOf(entry, status, headers)).toBe(finding);
});
