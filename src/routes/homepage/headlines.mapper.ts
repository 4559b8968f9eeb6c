import type { Feed, FeedItem } from '../../clients/feed.calls.ts';

/** How many headlines a small screen shows. */
const HEADLINES = 5;

/** A feed for a small screen. */
export interface Headlines {
  readonly items: readonly Pick<FeedItem, 'id' | 'title'>[];
}

/** Cuts a feed to the first five items, without what only a page of their own shows. */
export function toHeadlines({ items }: Feed): Headlines {
  return { items: items.slice(0, HEADLINES).map(({ id, title }) => ({ id, title })) };
}
