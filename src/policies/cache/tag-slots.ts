import { fieldsOf } from '../../exchange/field-list.ts';
import { groupsOf } from './cache-groups.ts';
import type { TagMark } from './entry.ts';

/** How many slots tags share. Power of two: few tags share a slot, and those that do are purged together. */
export const TAG_SLOTS = 65_536;
/** What an answer may be tagged with; more are not read, and the answer is not kept (fails closed). */
const MAX_TAGS = 64;
const MAX_TAG_LENGTH = 256;

/** Which of several texts share a slot. @param slots a power of two. */
export function slotOf(text: string, slots: number): number {
  let slot = 0;
  for (let i = 0; i < text.length; i += 1) slot = (slot * 31 + text.charCodeAt(i)) | 0;
  return slot & (slots - 1);
}

/**
 * Counts how often tags were purged. An entry keeps the counts of its tags from when it was asked for: to purge a tag is to
 * count one, and what was asked for before is dead wherever it is, also on its way.
 */
export class TagSlots {
  readonly #hard = new Uint32Array(TAG_SLOTS);
  readonly #soft = new Uint32Array(TAG_SLOTS);
  /** How many purges there had been when each slot was purged last. */
  readonly #last = new Float64Array(TAG_SLOTS);
  #count = 0;

  /** How often anything was purged by a tag. */
  get count(): number {
    return this.#count;
  }

  /** Purges all that has a tag. @param soft whether it only is fresh no more. */
  purge(tag: string, soft: boolean): void {
    const counts = soft ? this.#soft : this.#hard;
    const slot = slotOf(tag, TAG_SLOTS);
    counts[slot] = (counts[slot] ?? 0) + 1;
    this.#count += 1;
    this.#last[slot] = this.#count;
  }

  /** Whether one of these was purged since there had been so many purges. */
  wasPurged(marks: readonly TagMark[], since: number): boolean {
    return since !== this.#count && marks.some(({ slot }) => (this.#last[slot] ?? 0) > since);
  }

  /** The marks of tags, as they are now. */
  marksOf(tags: readonly string[]): readonly TagMark[] {
    return tags.map((tag) => this.#markOf(slotOf(tag, TAG_SLOTS)));
  }

  /** The same, of an entry that has aged. */
  again(marks: readonly TagMark[]): readonly TagMark[] {
    return marks.map(({ slot }) => this.#markOf(slot));
  }

  #markOf(slot: number): TagMark {
    return { slot, hard: this.#hard[slot] ?? 0, soft: this.#soft[slot] ?? 0 };
  }

  /** What became of an entry with these marks. */
  stateOf(marks: readonly TagMark[]): 'current' | 'aged' | 'purged' {
    if (marks.some(({ slot, hard }) => this.#hard[slot] !== hard)) return 'purged';
    return marks.some(({ slot, soft }) => this.#soft[slot] !== soft) ? 'aged' : 'current';
  }
}

/**
 * The tags of an answer: those of `Cache-Tag` (with commas), of `Surrogate-Key` (with spaces), and its groups (RFC 9875), which
 * are those of its host.
 *
 * @returns undefined for more than are read, or longer ones.
 */
export function tagsOf(headers: readonly string[], host: string): readonly string[] | undefined {
  const commas = fieldsOf(headers, 'cache-tag').flatMap((line) => line.split(','));
  const spaces = fieldsOf(headers, 'surrogate-key').flatMap((line) => line.split(' '));
  const groups = groupsOf(headers, 'cache-groups', host);
  if (commas.length + spaces.length + groups.length === 0) return NONE;
  const said = [...commas, ...spaces].map((tag) => tag.trim()).filter((tag) => tag !== '');
  const tags = [...said, ...groups];
  return tags.length > MAX_TAGS || tags.some((tag) => tag.length > MAX_TAG_LENGTH) ? undefined : tags;
}

const NONE: readonly string[] = Object.freeze([]);
