import { fieldOf } from '../../exchange/field-list.ts';
import { lengthOf, type Entry } from './entry.ts';
import { sameTag } from './http-conditions.ts';

/** What becomes of a stored answer by what a HEAD was answered: it is updated, is stale from now on, or stays. */
export type HeadFinding = 'updates' | 'ends' | 'says-nothing';

const OK = 200;

/** What an answer to HEAD says of a stored one to GET (RFC 9111 section 4.3.5): it is the same where all that it has of these fields is. */
export function findingOf(entry: Entry, status: number, headers: readonly string[]): HeadFinding {
  if (status !== OK || entry.answer.status !== OK) return 'says-nothing';
  const stored = entry.answer.headers;
  const [tag, modified, length] = ['etag', 'last-modified', 'content-length'].map((name) =>
    fieldOf(headers, name),
  );
  if (tag === undefined && modified === undefined && length === undefined) return 'says-nothing';
  const isSame =
    (tag === undefined || sameTag(tag, fieldOf(stored, 'etag') ?? '')) &&
    (modified === undefined || modified === fieldOf(stored, 'last-modified')) &&
    // Of another coding it may be another one.
    (length === undefined || Number(length) === lengthOf(entry));
  if (!isSame) return 'ends';
  // By its length alone it may be anything.
  return tag === undefined && modified === undefined ? 'says-nothing' : 'updates';
}
