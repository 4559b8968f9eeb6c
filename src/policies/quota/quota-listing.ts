import type { QuotaCount } from './quota-count.ts';
import { subjectOfKey } from './quota-subject.ts';

/** Which subjects of a quota are wanted. */
export interface ListingQuery {
  /** What tells the quota from others, as in its keys. */
  readonly id: string;
  /** What is in the name of a subject; empty for all. */
  readonly contains: string;
  /** By use, the most first: then there is one page only. Else in no order that means anything. */
  readonly byUse: boolean;
  /** Most of one page. */
  readonly limit: number;
  /** Where the page begins, as the last one has told; undefined for the first. */
  readonly cursor: string | undefined;
}

/** What somebody has used in the window that runs. */
export type UsedOfQuota = Pick<QuotaCount, 'used' | 'carried' | 'start' | 'end'> & { readonly key: string };

/** A page of those who have used something in the window that runs. */
export interface ListingPage {
  readonly used: readonly UsedOfQuota[];
  /** Where the next page begins; undefined for the last. */
  readonly next: string | undefined;
  /** Whether all were looked at, as far as the page says so. */
  readonly isWhole: boolean;
}

/** Where a listing cannot go on: the cursor is none, or of another listing. */
export class CursorFault extends Error {}

/** Whether a key is one of those that are wanted. */
export function isWanted(key: string, { id, contains }: Pick<ListingQuery, 'id' | 'contains'>): boolean {
  if (!key.endsWith(`}:${id}`)) return false;
  return contains === '' || subjectOfKey(key).includes(contains);
}

/** The first of any number, in an order, with room for twice as many. */
export class FirstOf<Item> {
  readonly #most: number;
  readonly #order: (one: Item, other: Item) => number;
  #items: Item[] = [];
  #isCut = false;

  constructor(most: number, order: (one: Item, other: Item) => number) {
    this.#most = most;
    this.#order = order;
  }

  /** Whether some were left out. */
  get isCut(): boolean {
    return this.#isCut;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#most + 1) this.#cut();
  }

  list(): readonly Item[] {
    this.#cut();
    return this.#items;
  }

  #cut(): void {
    this.#items.sort(this.#order);
    if (this.#items.length <= this.#most) return;
    this.#isCut = true;
    this.#items = this.#items.slice(0, this.#most);
  }
}

/** The most used come first; of several the same, in a fixed order. */
export function mostUsedFirst(one: UsedOfQuota, other: UsedOfQuota): number {
  return other.used - one.used || byKey(one, other);
}

/** In the order of their keys. */
export function byKey(one: { readonly key: string }, other: { readonly key: string }): number {
  return one.key < other.key ? -1 : one.key > other.key ? 1 : 0;
}
