import { z } from 'zod';
import type { Feed } from '../services/feed.calls.ts';

/** How many headlines a small screen shows. */
const HEADLINES = 5;

/** A feed for a small screen. */
export const headlinesData = z
  .object({ items: z.array(z.object({ id: z.string(), title: z.string() }).readonly()).readonly() })
  .readonly()
  .meta({ id: 'Headlines' });

/** A feed for a small screen. */
export type Headlines = z.output<typeof headlinesData>;

/** Cuts a feed to the first five items, without what only a page of their own shows. */
export function toHeadlines({ items }: Feed): Headlines {
  return { items: items.slice(0, HEADLINES).map(({ id, title }) => ({ id, title })) };
}
