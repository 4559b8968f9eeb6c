import { z } from 'zod';
import { httpUpstream } from '../../calls/http-upstream.ts';

const feedSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      authorId: z.string(),
      publishedAt: z.iso.datetime(),
    }),
  ),
});

/** The newest items for a reader. */
export type Feed = z.output<typeof feedSchema>;
/** One item of a feed. */
export type FeedItem = Feed['items'][number];

const feed = httpUpstream('feed');

/** Reads the feed of a user, newest first; ten items unless `first` says otherwise. */
export const getFeed = feed.get<{ user: string; first?: number | undefined }, Feed>('feed.get', '/feed', {
  query: ['user', 'first'],
  decode: feedSchema,
});
